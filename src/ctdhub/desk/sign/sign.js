// The signing origin: shows the fields of exactly the bytes that a passkey signs, then signs them.
// What is to be signed comes in the fragment, which no server is sent.  Nothing else is trusted:
// bytes that are not canonical JSON of a known statement are refused, so that what is shown is all
// that there is.
"use strict";

const WORDS = {
  en: {
    dir: "ltr", name: "English", language: "Language",
    title_sign: "Sign with your passkey", title_enrol: "Create an approval passkey",
    about_sign: "Read every line. Your passkey signs exactly this, and nothing else. Sign within two minutes of the time shown.",
    about_enrol: "The private key stays with your device. Create it in the presence of the other approver, and read the digits aloud.",
    sign: "Sign with passkey", enrol: "Create passkey",
    consent: "Cancel by closing this page. Nothing is signed until your device asks you.",
    wait: "Your device asks you now.", sent: "Signed and accepted by the desk. You may close this page.",
    enrolled: "Created. Read these digits out to the other approver, and those of your first key to an administrator too. Before that the key does not count.",
    no: "Nothing was signed: the request was cancelled, or your device could not check who you are.",
    refused: "The desk refused it. Go back to the desk and open this page again.",
    late: "This statement is older than two minutes. Go back to the desk and open this page again.",
    bad: "This page was opened with something that is not a statement of the hub. Nothing can be signed.",
    framed: "This page does not work inside another page.",
    yes: "yes", nothing: "no", practice_note: "Practice: the data are fictitious",
    "role.steward": "steward", "role.privacy_officer": "privacy officer",
    statement: "digits of the statement", kind: "kind of statement", "kind.ctdhub-approval-3": "Approval of a release",
    "kind.ctdhub-approvers-1": "Change of the approvers' keys", "kind.ctdhub-lift-1": "Taking back a hold: the release may be published", hold: "hash of the hold", since: "held back since (UTC)", "kind.ctdhub-erratum-1": "Notice about a published release",
    hub: "hub", version: "version", role: "signed as", "guarantee.epsilon": "guarantee: epsilon", "guarantee.delta": "guarantee: delta",
    charge: "charge", digest: "hash of all files", "ledger.hash": "line of the privacy-budget ledger", date: "time (UTC)",
    practice: "practice", review: "hash of the review", not_before: "published not before", changes: "hash of note, changes and alarms",
    trail: "last event of the desk", approvers: "approvers", number: "number", previous: "line before", release: "last signed release",
    was: "before", now: "after", reason: "reason", sort: "kind of notice", note: "note", concerns: "concerns", signed: "time of signing (UTC)",
    steward: "steward", privacy_officer: "privacy officer", former: "former key", devices: "devices", rs256: "RSA passkeys",
    key: "key", until: "until ledger line", statements: "valid statements", digits: "digits to read aloud", copies: "can be copied to other devices", "ledger.number": "number in the ledger",
  },
  fr: {
    dir: "ltr", name: "Français", language: "Langue",
    title_sign: "Signer avec votre clé d’accès", title_enrol: "Créer une clé d’accès d’approbation",
    about_sign: "Lisez chaque ligne. Votre clé d’accès signe exactement ceci, et rien d’autre. Signez dans les deux minutes qui suivent l’heure affichée.",
    about_enrol: "La clé privée reste avec votre appareil. Créez-la en présence de l’autre personne qui approuve, et lisez les chiffres à voix haute.",
    sign: "Signer avec la clé d’accès", enrol: "Créer la clé d’accès",
    consent: "Pour annuler, fermez cette page. Rien n’est signé avant que votre appareil ne vous le demande.",
    wait: "Votre appareil vous le demande maintenant.", sent: "Signé et accepté par le guichet. Vous pouvez fermer cette page.",
    enrolled: "Clé créée. Lisez ces chiffres à voix haute à l’autre personne qui approuve, et pour votre première clé aussi à l’administration. Avant cela, la clé ne compte pas.",
    no: "Rien n’a été signé : la demande a été annulée, ou votre appareil n’a pas pu vérifier qui vous êtes.",
    refused: "Le guichet a refusé. Retournez au guichet et ouvrez cette page à nouveau.",
    late: "Cette déclaration date de plus de deux minutes. Retournez au guichet et ouvrez cette page à nouveau.",
    bad: "Cette page a été ouverte avec autre chose qu’une déclaration de la plateforme. Rien ne peut être signé.",
    framed: "Cette page ne fonctionne pas à l’intérieur d’une autre page.",
    yes: "oui", nothing: "non", practice_note: "Exercice : les données sont fictives",
    "role.steward": "responsable des données", "role.privacy_officer": "responsable de la confidentialité",
    statement: "chiffres de la déclaration", kind: "type de déclaration", "kind.ctdhub-approval-3": "Approbation d’une publication",
    "kind.ctdhub-approvers-1": "Changement des clés d’approbation", "kind.ctdhub-lift-1": "Levée d’une suspension : la publication peut être diffusée", hold: "empreinte de la suspension", since: "suspendue depuis (UTC)", "kind.ctdhub-erratum-1": "Avis sur une publication",
    hub: "plateforme", version: "version", role: "signé en tant que", "guarantee.epsilon": "garantie : epsilon", "guarantee.delta": "garantie : delta",
    charge: "imputation", digest: "empreinte de tous les fichiers", "ledger.hash": "ligne du registre du budget de confidentialité", date: "heure (UTC)",
    practice: "exercice", review: "empreinte de l’examen", not_before: "pas de diffusion avant le", changes: "empreinte de la note, des changements et des alertes",
    trail: "dernier événement du guichet", approvers: "personnes qui approuvent", number: "numéro", previous: "ligne précédente", release: "dernière publication signée",
    was: "avant", now: "après", reason: "raison", sort: "type d’avis", note: "note", concerns: "concerne", signed: "heure de signature (UTC)",
    steward: "responsable des données", privacy_officer: "responsable de la confidentialité", former: "ancienne clé", devices: "appareils", rs256: "clés d’accès RSA",
    key: "clé", until: "jusqu’à la ligne du registre", statements: "déclarations valables", digits: "chiffres à lire à voix haute", copies: "peut être copiée sur d’autres appareils", "ledger.number": "numéro dans le registre",
  },
  es: {
    dir: "ltr", name: "Español", language: "Idioma",
    title_sign: "Firmar con su llave de acceso", title_enrol: "Crear una llave de acceso para aprobar",
    about_sign: "Lea cada línea. Su llave de acceso firma exactamente esto y nada más. Firme en los dos minutos siguientes a la hora que se muestra.",
    about_enrol: "La clave privada se queda en su dispositivo. Créela en presencia de la otra persona que aprueba y lea las cifras en voz alta.",
    sign: "Firmar con la llave de acceso", enrol: "Crear la llave de acceso",
    consent: "Para cancelar, cierre esta página. No se firma nada hasta que su dispositivo se lo pida.",
    wait: "Su dispositivo se lo pide ahora.", sent: "Firmado y aceptado por la ventanilla. Puede cerrar esta página.",
    enrolled: "Creada. Lea estas cifras en voz alta a la otra persona que aprueba y, si es su primera clave, también a la administración. Antes de eso, la clave no cuenta.",
    no: "No se firmó nada: la solicitud se canceló o su dispositivo no pudo comprobar quién es usted.",
    refused: "La ventanilla lo rechazó. Vuelva a la ventanilla y abra de nuevo esta página.",
    late: "Esta declaración tiene más de dos minutos. Vuelva a la ventanilla y abra de nuevo esta página.",
    bad: "Esta página se abrió con algo que no es una declaración de la plataforma. No se puede firmar nada.",
    framed: "Esta página no funciona dentro de otra página.",
    yes: "sí", nothing: "no", practice_note: "Práctica: los datos son ficticios",
    "role.steward": "responsable de datos", "role.privacy_officer": "responsable de privacidad",
    statement: "cifras de la declaración", kind: "tipo de declaración", "kind.ctdhub-approval-3": "Aprobación de una publicación",
    "kind.ctdhub-approvers-1": "Cambio de las claves de quienes aprueban", "kind.ctdhub-lift-1": "Levantamiento de una suspensión: la publicación puede difundirse", hold: "huella de la suspensión", since: "suspendida desde (UTC)", "kind.ctdhub-erratum-1": "Aviso sobre una publicación",
    hub: "plataforma", version: "versión", role: "firma como", "guarantee.epsilon": "garantía: épsilon", "guarantee.delta": "garantía: delta",
    charge: "cargo", digest: "huella de todos los archivos", "ledger.hash": "línea del libro del presupuesto de privacidad", date: "hora (UTC)",
    practice: "práctica", review: "huella de la revisión", not_before: "no se publica antes del", changes: "huella de la nota, los cambios y las alertas",
    trail: "último suceso de la ventanilla", approvers: "quienes aprueban", number: "número", previous: "línea anterior", release: "última publicación firmada",
    was: "antes", now: "después", reason: "motivo", sort: "tipo de aviso", note: "nota", concerns: "se refiere a", signed: "hora de la firma (UTC)",
    steward: "responsable de datos", privacy_officer: "responsable de privacidad", former: "clave anterior", devices: "dispositivos", rs256: "llaves de acceso RSA",
    key: "clave", until: "hasta la línea del libro", statements: "declaraciones válidas", digits: "cifras para leer en voz alta", copies: "puede copiarse a otros dispositivos", "ledger.number": "número en el libro",
  },
  ar: {
    dir: "rtl", name: "العربية", language: "اللغة",
    title_sign: "التوقيع بمفتاح المرور", title_enrol: "إنشاء مفتاح مرور للموافقة",
    about_sign: "اقرأ كل سطر. يوقّع مفتاح المرور على هذا النص تحديداً ولا شيء غيره. وقّع خلال دقيقتين من الوقت المبيَّن.",
    about_enrol: "يبقى المفتاح الخاص في جهازك. أنشئه بحضور الشخص الآخر الذي يوافق، واقرأ الأرقام بصوت مسموع.",
    sign: "التوقيع بمفتاح المرور", enrol: "إنشاء مفتاح المرور",
    consent: "للإلغاء أغلق هذه الصفحة. لا يُوقَّع شيء قبل أن يطلب جهازك ذلك منك.",
    wait: "يطلب جهازك تأكيدك الآن.", sent: "تم التوقيع وقبله المكتب. يمكنك إغلاق هذه الصفحة.",
    enrolled: "أُنشئ المفتاح. اقرأ هذه الأرقام على الشخص الآخر الذي يوافق، واقرأ أرقام مفتاحك الأول على المشرف أيضاً. لا يُعتدّ بالمفتاح قبل ذلك.",
    no: "لم يُوقَّع شيء: أُلغي الطلب، أو تعذّر على جهازك التحقق من هويتك.",
    refused: "رفضه المكتب. عد إلى المكتب وافتح هذه الصفحة من جديد.",
    late: "مضى على هذا البيان أكثر من دقيقتين. عد إلى المكتب وافتح هذه الصفحة من جديد.",
    bad: "فُتحت هذه الصفحة بشيء ليس بياناً من المنصة. لا يمكن توقيع أي شيء.",
    framed: "لا تعمل هذه الصفحة داخل صفحة أخرى.",
    yes: "نعم", nothing: "لا", practice_note: "تدريب: البيانات وهمية",
    "role.steward": "أمين البيانات", "role.privacy_officer": "مسؤول الخصوصية",
    statement: "أرقام البيان", kind: "نوع البيان", "kind.ctdhub-approval-3": "الموافقة على إصدار",
    "kind.ctdhub-approvers-1": "تغيير مفاتيح الموافقين", "kind.ctdhub-lift-1": "رفع تعليق: يمكن نشر الإصدار", hold: "بصمة التعليق", since: "معلَّق منذ (UTC)", "kind.ctdhub-erratum-1": "إشعار بشأن إصدار منشور",
    hub: "المنصة", version: "رقم الإصدار", role: "الدور عند التوقيع", "guarantee.epsilon": "الضمان: إبسيلون", "guarantee.delta": "الضمان: دلتا",
    charge: "الخصم", digest: "بصمة جميع الملفات", "ledger.hash": "سطر دفتر ميزانية الخصوصية", date: "الوقت (UTC)",
    practice: "تدريب", review: "بصمة المراجعة", not_before: "لا يُنشر قبل", changes: "بصمة الملاحظة والتغييرات والتنبيهات",
    trail: "آخر حدث في المكتب", approvers: "الموافقون", number: "الرقم", previous: "السطر السابق", release: "آخر إصدار موقَّع",
    was: "قبل", now: "بعد", reason: "السبب", sort: "نوع الإشعار", note: "الملاحظة", concerns: "يخص", signed: "وقت التوقيع (UTC)",
    steward: "أمين البيانات", privacy_officer: "مسؤول الخصوصية", former: "مفتاح سابق", devices: "الأجهزة", rs256: "مفاتيح مرور RSA",
    key: "المفتاح", until: "حتى سطر الدفتر", statements: "البيانات الصالحة", digits: "أرقام للقراءة بصوت مسموع", copies: "يمكن نسخه إلى أجهزة أخرى", "ledger.number": "الرقم في الدفتر",
  },
};

const FIELDS = {
  "ctdhub-approval-3": "approvers changes charge date digest guarantee hub kind ledger not_before practice review role trail version",
  "ctdhub-approvers-1": "date hub kind now number practice previous reason release role was",
  "ctdhub-lift-1": "approvers date digest hold hub kind practice reason role since version",
  "ctdhub-erratum-1": "concerns date digest hub kind note number practice role signed sort version",
};
const FIRST = ["statement", "kind", "hub", "version", "role", "date", "not_before", "since", "reason", "sort", "note", "practice", "guarantee", "charge", "digest"];
const SECONDS = 120;
const TYPE = "application/vnd.ctdhub.statement+json";

let lang = "en";
let task = null;
let lines = [];
let state = "";

const say = (name) => WORDS[lang][name] || name;
const $ = (id) => document.getElementById(id);

function fromUrl(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error("base64");
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

function toUrl(buffer) {
  return toPlain(buffer).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function toPlain(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)));
}

// Reads canonical JSON (sorted keys, no spaces, ASCII, one spelling of each text) and nothing else;
// numbers stay as they are written.
function read(text) {
  let at = 0;
  const fail = () => { throw new Error("not canonical"); };
  const take = (sign) => { if (text[at] !== sign) fail(); at += 1; };
  const match = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) fail();
    at += found[0].length;
    return found[0];
  };
  function string() {
    const raw = match(/"(?:[ !#-[\]-\x7f]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"/y);
    const value = JSON.parse(raw);
    const again = JSON.stringify(value).replace(/[\u0080-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
    if (again !== raw) fail();
    return value;
  }
  function value(depth) {
    if (depth > 6) fail();
    if (text[at] === "{") {
      const found = new Map();
      let last = null;
      take("{");
      while (text[at] !== "}") {
        if (last !== null) take(",");
        const name = string();
        if (last !== null && !(last < name)) fail();
        take(":");
        found.set(name, value(depth + 1));
        last = name;
      }
      take("}");
      return found;
    }
    if (text[at] === "[") {
      const found = [];
      take("[");
      while (text[at] !== "]") {
        if (found.length) take(",");
        found.push(value(depth + 1));
      }
      take("]");
      return found;
    }
    if (text[at] === '"') return string();
    const word = match(/true|false|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?/y);
    return word === "true" ? true : word === "false" ? false : { number: word };
  }
  const found = value(0);
  if (at !== text.length || !(found instanceof Map)) fail();
  return found;
}

function hex(bytes) {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("").replace(/(.{4})(?=.)/g, "$1 ");
}

async function digits(text) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).slice(0, 8));
}

// One line for each value of a statement: names, from the outside in, and the value as text.
async function flat(value, names, out) {
  if (value instanceof Map) {
    if (!value.size) out.push([names, "{}"]);
    for (const [name, inner] of value) await flat(inner, [...names, name], out);
  } else if (Array.isArray(value)) {
    if (!value.length) out.push([names, "–"]);
    for (const inner of value) await flat(inner, names, out);
  } else if (typeof value === "object") {
    out.push([names, value.number]);
  } else if (typeof value === "string" && /^(ed25519|passkey):/.test(value)) {
    out.push([names, `${await digits(value)} · ${value}`]);
  } else {
    out.push([names, value]);
  }
  return out;
}

async function open() {
  const told = JSON.parse(new TextDecoder().decode(fromUrl(location.hash.slice(1))));
  if (told.lang in WORDS) lang = told.lang;
  if (!/^[A-Za-z0-9_-]{20,100}$/.test(told.ticket)) throw new Error("ticket");
  if (told.do === "enrol") {
    if (!(told.role === "steward" || told.role === "privacy_officer")) throw new Error("role");
    lines = [[["hub"], String(told.hub)], [["role"], told.role]];
    return { do: "enrol", ticket: told.ticket, role: told.role, hub: String(told.hub), rs256: told.rs256 === true };
  }
  const bytes = fromUrl(told.statement);
  const fields = read(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
  const known = FIELDS[fields.get("kind")];
  if (!known || [...fields.keys()].some((name) => !known.split(" ").includes(name))) throw new Error("fields");
  const date = Date.parse(fields.get("signed") || fields.get("date"));
  if (Number.isNaN(date)) throw new Error("date");
  // The pre-authentication encoding of DSSE; its hash is the challenge.
  const head = `DSSEv1 ${TYPE.length} ${TYPE} ${bytes.length} `;
  const message = Uint8Array.from([...new TextEncoder().encode(head), ...bytes]);
  const challenge = new Uint8Array(await crypto.subtle.digest("SHA-256", message));
  lines = [[["statement"], hex(challenge)], ...await flat(fields, [], [])];
  const place = (line) => (FIRST.indexOf(line[0][0]) + 1) || FIRST.length + 1;
  lines.sort((a, b) => place(a) - place(b));
  const ids = (told.ids || []).map((id) => ({ type: "public-key", id: fromUrl(id) }));
  return { do: "sign", ticket: told.ticket, challenge, ids, date };
}

function shown(names, value) {
  if (value === true) return say("yes");
  if (value === false) return say("nothing");
  if (names.length === 1 && (names[0] === "role" || names[0] === "kind")) return say(`${names[0]}.${value}`);
  return String(value).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "·");
}

function draw() {
  document.documentElement.lang = lang;
  document.documentElement.dir = say("dir");
  $("host").textContent = location.host;
  $("languages").setAttribute("aria-label", say("language"));
  for (const button of $("languages").children) button.setAttribute("aria-pressed", String(button.lang === lang));
  const enrol = task && task.do === "enrol";
  $("title").textContent = say(enrol ? "title_enrol" : "title_sign");
  document.title = $("title").textContent;
  $("about").textContent = task ? say(enrol ? "about_enrol" : "about_sign") : "";
  $("fields").replaceChildren(...lines.map(([names, value]) => {
    const row = document.createElement("div");
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    const whole = names.join(".");
    dt.textContent = whole in WORDS[lang] ? say(whole) : names.map(say).join(": ");
    const inner = document.createElement("bdi");
    inner.textContent = shown(names, value);
    if (/^[\x20-\x7e·]*$/.test(inner.textContent) && names[0] !== "note") inner.dir = "ltr";
    if (inner.textContent.length > 30) inner.className = "code";
    if (["kind", "version", "role", "not_before"].includes(whole)) row.className = "main";
    dd.append(inner);
    row.append(dt, dd);
    return row;
  }));
  $("go").textContent = say(enrol ? "enrol" : "sign");
  $("consent").textContent = say("consent");
  $("message").textContent = state ? say(state) : "";
  $("message").className = ["bad", "framed", "no", "refused", "late"].includes(state) ? "bad" : ["sent", "enrolled"].includes(state) ? "good" : "";
}

function tell(name) {
  state = name;
  draw();
  $("message").focus();
}

// The desk is the same address without "sign."; its one page for signatures takes them from here only.
async function send(content) {
  if (!location.host.startsWith("sign.")) throw new Error("host");
  const desk = `${location.protocol}//${location.host.slice("sign.".length)}`;
  const answer = await fetch(`${desk}/signed/`, {
    method: "POST", mode: "cors", credentials: "omit", referrerPolicy: "no-referrer", redirect: "error",
    headers: { "Content-Type": "text/plain" }, body: JSON.stringify(content),
  });
  return answer.ok;
}

async function sign() {
  if (Math.abs(Date.now() - task.date) > SECONDS * 1000) return tell("late");
  tell("wait");
  let given;
  try {
    given = await navigator.credentials.get({ publicKey: {
      challenge: task.challenge, rpId: location.hostname,
      allowCredentials: task.ids, userVerification: "required", timeout: SECONDS * 1000,
    } });
  } catch { return tell("no"); }
  const { signature, authenticatorData, clientDataJSON } = given.response;
  let taken = false;
  try {
    taken = await send({
      ticket: task.ticket, signature: toPlain(signature),
      authenticator_data: toUrl(authenticatorData), client_data: toUrl(clientDataJSON),
    });
  } catch { taken = false; }
  return tell(taken ? "sent" : "refused");
}

async function enrol() {
  tell("wait");
  let made;
  try {
    made = await navigator.credentials.create({ publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)), rp: { id: location.hostname, name: location.hostname },
      user: { id: crypto.getRandomValues(new Uint8Array(32)), name: `${task.hub}: ${task.role}`, displayName: `${task.hub}: ${say(`role.${task.role}`)}` },
      pubKeyCredParams: [-8, -7, ...(task.rs256 ? [-257] : [])].map((alg) => ({ type: "public-key", alg })),
      authenticatorSelection: { userVerification: "required", residentKey: "preferred" },
      attestation: "none", timeout: SECONDS * 1000,
    } });
  } catch { return tell("no"); }
  const key = `passkey:${location.hostname}:${toPlain(made.response.getPublicKey())}`;
  const flags = new Uint8Array(made.response.getAuthenticatorData())[32];
  lines.push([["digits"], await digits(key)], [["copies"], (flags & 24) !== 0], [["key"], key]);
  let taken = false;
  try { taken = await send({ ticket: task.ticket, key, id: toUrl(made.rawId), copies: (flags & 24) !== 0 }); } catch { taken = false; }
  return tell(taken ? "enrolled" : "refused");
}

async function start() {
  lang = (navigator.languages || []).map((code) => code.slice(0, 2)).find((code) => code in WORDS) || "en";
  for (const code of Object.keys(WORDS)) {
    const button = document.createElement("button");
    button.type = "button";
    button.lang = code;
    button.textContent = WORDS[code].name;
    button.addEventListener("click", () => { lang = code; draw(); });
    $("languages").append(button);
  }
  if (window.top !== window) return tell("framed");
  try { task = await open(); } catch { task = null; lines = []; return tell("bad"); }
  history.replaceState(null, "", location.pathname);
  $("act").hidden = false;
  $("go").addEventListener("click", async () => {
    $("go").disabled = true;
    await (task.do === "enrol" ? enrol() : sign());
    $("go").disabled = ["sent", "enrolled", "late", "refused"].includes(state);
  });
  draw();
}

start();
