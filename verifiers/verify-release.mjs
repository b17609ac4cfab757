// Check releases of a hub without ctdhub: `node verify-release.mjs FOLDER...`, or `check` in a page.
//
// Written from docs/reference/verify-without-ctdhub.md alone; it depends on nothing but Web Crypto.
// For each folder it prints what is wrong, or the fingerprints of the two keys that signed; compare
// these with what the hub publishes elsewhere, or name the keys: --key=steward=KEY.  It ends with 1
// if there is a fault.

const TYPE = "application/vnd.ctdhub.statement+json";
const BESIDE = ["SHA256SUMS", "APPROVALS.json", "ERRATA.json", "ERRATA.md"];
const ROLES = ["privacy_officer", "steward"];
const LINE = /^([0-9a-f]{64}) {2}([A-Za-z0-9][A-Za-z0-9._-]{0,99})$/;
const P256 = "06082a8648ce3d030107";
const ED25519 = "302a300506032b6570032100";

class Fault extends Error {}

function need(holds, text) {
  if (!holds) throw new Fault(text);
}

const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const bytesOf = (text) => new TextEncoder().encode(text);
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const hash = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const sha256 = async (bytes) => hex(await hash(bytes));

// Values of JSON are equal where their sorted forms are.
function same(a, b) {
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object") return value;
    return { object: Object.keys(value).sort().map((name) => [name, sorted(value[name])]) };
  };
  return JSON.stringify(sorted(a ?? null)) === JSON.stringify(sorted(b ?? null));
}

const textOf = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

// JSON in UTF-8 in which no object has a name twice.
function parse(bytes, what) {
  try {
    const text = textOf(bytes);
    const value = JSON.parse(text);
    const objects = [];
    for (const [word, name, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}]/g)) {
      if (word === "{") objects.push(new Set());
      else if (word === "}") objects.pop();
      else if (colon) {
        need(!objects.at(-1).has(JSON.parse(name)), `${what} has a name twice`);
        objects.at(-1).add(JSON.parse(name));
      }
    }
    return value;
  } catch (met) {
    throw met instanceof Fault ? met : new Fault(`${what} is no JSON`);
  }
}

// Base64 in its one spelling; base64url has no padding.
function decoded(text, what, url = false) {
  need(typeof text === "string" && (url ? /^[\w-]+$/ : /^[A-Za-z0-9+/]+={0,2}$/).test(text), `${what} is no base64`);
  let plain;
  try {
    plain = atob(url ? text.replaceAll("-", "+").replaceAll("_", "/") : text);
  } catch {
    throw new Fault(`${what} is no base64`);
  }
  const again = btoa(plain);
  const spelt = url ? again.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : again;
  need(spelt === text, `${what} has another spelling`);
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

// ------------------------------------------------------------------------------------------------
// One envelope: a statement and its signature.

// The signature of ECDSA as Web Crypto takes it (r and s, 32 bytes each), from DER.
function plainEcdsa(signature) {
  const part = (at) => {
    need(signature[at] === 2 && signature[at + 1] < 34, "a signature in another form");
    const end = at + 2 + signature[at + 1];
    const number = hex(signature.slice(at + 2, end)).replace(/^(00)+/, "").padStart(64, "0");
    need(number.length === 64, "a signature in another form");
    return [Uint8Array.from(number.match(/../g), (two) => parseInt(two, 16)), end];
  };
  need(signature[0] === 0x30 && signature[1] === signature.length - 2, "a signature in another form");
  const [r, next] = part(2);
  const [s, end] = part(next);
  need(end === signature.length, "a signature in another form");
  return join(r, s);
}

async function isSigned(der, message, signature, bare) {
  const code = hex(der);
  const [kind, how, form] = code.startsWith(ED25519) || bare
    ? [{ name: "Ed25519" }, { name: "Ed25519" }, signature]
    : code.includes(P256)
      ? [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }, plainEcdsa(signature)]
      : [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, { name: "RSASSA-PKCS1-v1_5" }, signature];
  const key = await crypto.subtle.importKey(bare ? "raw" : "spki", der, kind, true, ["verify"]);
  const again = new Uint8Array(await crypto.subtle.exportKey(bare ? "raw" : "spki", key));
  need(hex(again) === code, "a key in another spelling");
  need(!key.algorithm.modulusLength || key.algorithm.modulusLength >= 2048, "an RSA key that is too short");
  return crypto.subtle.verify(how, key, form, message);
}

// The statement of an envelope and the key that signed it; rules: `approvers`, for passkeys.
async function opened(envelope, rules) {
  need(same(Object.keys(envelope).sort(), ["payload", "payloadType", "signatures"]), "an envelope has three parts");
  need(envelope.payloadType === TYPE, "another type of payload");
  const payload = decoded(envelope.payload, "a payload");
  need(Array.isArray(envelope.signatures) && envelope.signatures.length === 1, "an envelope has one signature");
  const statement = parse(payload, "a payload");
  need(statement !== null && typeof statement === "object" && !Array.isArray(statement), "a payload that is no statement");
  const [signature] = envelope.signatures;
  const [key, signed] = [signature.keyid, decoded(signature.sig, "a signature")];
  need(typeof key === "string", "a key of an unknown kind");
  let message = join(bytesOf(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `), payload);
  let names = ["keyid", "sig"];
  let der;
  if (key.startsWith("ed25519:")) {
    der = decoded(key.slice(8), "a key");
    need(der.length === 32, "a key in another form");
  } else {
    names = ["authenticatorData", "clientDataJSON", ...names];
    [der, message] = await passkey(signature, key, message, rules ?? statement.approvers ?? {}, statement.practice);
  }
  need(same(Object.keys(signature).sort(), names), "a signature has other parts");
  need(await isSigned(der, message, signed, key.startsWith("ed25519:")), "a signature is not valid");
  return { statement, key, der: hex(der).slice(-64) };
}

// The public key of a passkey, and the bytes that its device signed, once they fit.
async function passkey(signature, key, message, rules, practice) {
  const [, host, code] = /^passkey:([a-z0-9.-]+):(.+)$/.exec(key) ?? [];
  need(host, "a key of an unknown kind");
  const der = decoded(code, "a key");
  const known = hex(der).startsWith(ED25519) || hex(der).includes(P256);
  need(known || rules.rs256 === true, "an RSA passkey that is not accepted");
  const client = decoded(signature.clientDataJSON, "clientDataJSON", true);
  const device = decoded(signature.authenticatorData, "authenticatorData", true);
  const said = parse(client, "clientDataJSON");
  need(said.type === "webauthn.get", "a passkey was not asked to sign");
  const asked = btoa(String.fromCharCode(...await hash(message)));
  need(said.challenge === asked.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""), "a passkey signed another statement");
  const local = host === "localhost" || host.endsWith(".localhost");
  const here = local
    ? practice === true && said.origin.startsWith(`http://${host}`) && /^(:[0-9]{1,5})?$/.test(said.origin.slice(7 + host.length))
    : said.origin === `https://${host}`;
  need(here, "a passkey was used on another page");
  need([undefined, false].includes(said.crossOrigin) && !("topOrigin" in said), "a passkey was used inside another page");
  need(device.length >= 37, "authenticatorData is too short");
  need(hex(device.slice(0, 32)) === await sha256(bytesOf(host)), "a device signed for another host");
  const flags = device[32];
  need(flags & 1 && flags & 4, "a device did not check who used it");
  need(!(flags & 16) || flags & 8, "a device contradicts itself");
  need(rules.devices !== "bound" || !(flags & 8), "a passkey that can be copied");
  return [der, join(device, await hash(client))];
}

// ------------------------------------------------------------------------------------------------
// A release: its files, the two approvals, the notices.

async function checkFiles(files, version) {
  need(files.has("SHA256SUMS"), "SHA256SUMS is missing");
  const lines = textOf(files.get("SHA256SUMS")).split("\n");
  need(lines.pop() === "" && lines.length && lines.every((line) => LINE.test(line)), "SHA256SUMS has another form");
  const listed = new Map(lines.map((line) => LINE.exec(line).slice(1).reverse()));
  need(same([...listed.keys()], lines.map((line) => line.slice(66)).sort()), "SHA256SUMS is not in order");
  need(!BESIDE.some((name) => listed.has(name)), "SHA256SUMS lists what lies beside it");
  for (const name of files.keys()) need(listed.has(name) || BESIDE.includes(name), `${name} is not part of the release`);
  for (const [name, digest] of listed) {
    need(files.has(name), `${name} is missing`);
    need(await sha256(files.get(name)) === digest, `${name} was changed`);
  }
  need(listed.has("manifest.json"), "manifest and SHA256SUMS disagree");
  const manifest = parse(files.get("manifest.json"), "manifest.json");
  const stated = Object.entries(manifest.files);
  need(stated.length === listed.size - 1, "manifest and SHA256SUMS disagree");
  for (const [name, entry] of stated) {
    need(listed.get(name) === entry.sha256, "manifest and SHA256SUMS disagree");
    need(files.get(name).length === entry.bytes, `${name} has another size`);
  }
  need(manifest.version === version, "the folder has not the version's name");
  return manifest;
}

const keysOf = (role, approvers) => [approvers[role] ?? []].flat();

async function checkApprovals(files, manifest, known) {
  need(files.has("APPROVALS.json"), "APPROVALS.json is missing");
  const content = parse(files.get("APPROVALS.json"), "APPROVALS.json");
  need(same(Object.keys(content), ["approvals"]), "APPROVALS.json has another form");
  const found = await Promise.all(content.approvals.map((one) => opened(one)));
  found.sort((a, b) => (a.statement.role < b.statement.role ? -1 : 1));
  need(same(found.map((one) => one.statement.role), ROLES), "two roles have not approved");
  const { hub = "", invented: practice = false } = manifest.facts;
  const about = {
    kind: "ctdhub-approval-3",
    hub,
    version: manifest.version,
    digest: await sha256(files.get("SHA256SUMS")),
    charge: manifest.charge,
    guarantee: { epsilon: manifest.epsilon, delta: manifest.delta },
    practice,
  };
  for (const { statement, key } of found) {
    for (const [name, value] of Object.entries(about)) need(same(statement[name], value), `an approval is of another ${name}`);
    const { role, approvers } = statement;
    const listed = (approvers ?? null) === null || keysOf(role, approvers).includes(key);
    need(listed && (!known[role]?.length || known[role].includes(key)), `another key of ${role}`);
  }
  const [first, second] = found;
  for (const name of ["review", "changes", "approvers", "ledger"]) {
    need(same(first.statement[name], second.statement[name]), `two people were shown two ${name}`);
  }
  need(first.der !== second.der, "one key signed twice");
  const keys = found.map((one) => one.key);
  return [keys, first.statement.approvers ?? Object.fromEntries(ROLES.map((role, i) => [role, keys[i]]))];
}

async function checkNotices(files, manifest, approvers, known) {
  if (!files.has("ERRATA.json")) {
    need(!files.has("ERRATA.md"), "ERRATA.md without ERRATA.json");
    return 0;
  }
  const content = parse(files.get("ERRATA.json"), "ERRATA.json");
  need(content.version === manifest.version, "notices about another version");
  need(Array.isArray(content.errata), "ERRATA.json has another form");
  const digest = await sha256(files.get("SHA256SUMS"));
  const { hub = "", invented = false } = manifest.facts;
  for (const [n, { notice, signatures }] of content.errata.entries()) {
    const found = await Promise.all(signatures.map((one) => opened(one, approvers)));
    need(same(found.map((one) => one.statement.role).sort(), ROLES), "a notice lacks a signature");
    for (const { key, statement: { role, signed, ...told } } of found) {
      const mine = known[role]?.length ? known[role] : keysOf(role, approvers);
      need(mine.includes(key), "a notice by another key: name it if it is the hub's");
      need(signed, "a notice without a date");
      need(same(told, notice), "a notice other than the one that was signed");
    }
    need(notice.kind === "ctdhub-erratum-1", "a notice of another kind");
    need(["correction", "withdrawn"].includes(notice.sort), "a notice of another sort");
    const about = [notice.number, notice.version, notice.digest, notice.hub, notice.practice];
    const expected = [n + 1, manifest.version, digest, hub, invented];
    need(same(about, expected), "a notice about another release");
    need(found[0].der !== found[1].der, "one key signed a notice twice");
  }
  const sorts = content.errata.map((erratum) => erratum.notice.sort);
  const status = sorts.includes("withdrawn") ? "withdrawn" : sorts.length ? "correction" : null;
  need(content.status === status, "the status of the notices is another");
  return content.errata.length;
}

// The number of notices about a release that is whole, and the fingerprint of the key of each role;
// the first thing that is wrong is thrown.
//
// files: a Map of names and bytes; version: the name of the folder; known: keys by role.
export async function check(files, version, known = {}) {
  try {
    const manifest = await checkFiles(files, version);
    const [keys, approvers] = await checkApprovals(files, manifest, known);
    const notices = await checkNotices(files, manifest, approvers, known);
    const digits = await Promise.all(keys.map(async (key) => (await sha256(bytesOf(key))).slice(0, 16)));
    return { notices, signed: ROLES.map((role, i) => [role, digits[i]]) };
  } catch (met) {
    throw met instanceof Fault ? met : new Fault(`damaged: ${met.name}`);
  }
}

// ------------------------------------------------------------------------------------------------
// The command, under Node.

async function main(words) {
  const fs = await import("node:fs");
  const path = await import("node:path");
  const known = { steward: [], privacy_officer: [] };
  const folders = words.filter((word) => !word.startsWith("--key="));
  for (const word of words.filter((one) => one.startsWith("--key="))) {
    const [, role, key] = /^--key=(steward|privacy_officer)=(.+)$/.exec(word) || process.exit(2);
    known[role].push(key);
  }
  for (const folder of folders) {
    let line;
    try {
      need(!fs.lstatSync(path.resolve(folder)).isSymbolicLink(), "the folder is a link");
      const entries = fs.readdirSync(folder, { withFileTypes: true });
      for (const entry of entries) need(entry.isFile(), `${entry.name} is no file`);
      const files = new Map(entries.map((e) => [e.name, new Uint8Array(fs.readFileSync(path.join(folder, e.name)))]));
      const { notices, signed } = await check(files, path.basename(path.resolve(folder)), known);
      line = `whole; ${notices} notices; signed by ${signed.map((one) => one.join(" ")).join(", ")}`;
    } catch (met) {
      line = `FAULT: ${met.message}`;
      process.exitCode = 1;
    }
    console.log(`${folder}: ${line}`);
  }
}

if (globalThis.process?.argv[1] && import.meta.url === new URL(`file://${process.argv[1]}`).href) await main(process.argv.slice(2));
