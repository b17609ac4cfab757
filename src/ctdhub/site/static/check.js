/* Checks a release of this site: fetches its files, gives them to the verifier, shows what it says. */
(function () {
  "use strict";
  var chooser = document.getElementById("check"), subtle = window.crypto && crypto.subtle;
  if (location.protocol === "file:" || !window.isSecureContext || !subtle) return;
  var NOTICES = ["ERRATA.json", "ERRATA.md"], BESIDE = ["SHA256SUMS", "APPROVALS.json"].concat(NOTICES);
  var NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
  function whole(path) { return new URL(path, document.baseURI).href; }

  /* What is there of the release; what cannot be read is no answer, and so no fault of the release.
     Most releases have no notice, and some servers answer 403 for a file that they do not have. */
  async function filesOf(folder) {
    var files = new Map();
    async function read(name) {
      var answer = await fetch(folder + name, { cache: "no-store" });
      if (answer.ok) files.set(name, new Uint8Array(await answer.arrayBuffer()));
      else if (![404, 410].includes(answer.status) && !(answer.status === 403 && NOTICES.includes(name))) throw new Error(name);
    }
    for (var name of BESIDE) await read(name);
    var lines = new TextDecoder().decode(files.get("SHA256SUMS")).split("\n");
    for (var line of lines) if (NAME.test(line.slice(66)) && !files.has(line.slice(66))) await read(line.slice(66));
    return files;
  }
  function show(state, version) {
    ["busy", "whole", "fault", "unread"].forEach(function (one) {
      document.getElementById("check-" + one).hidden = one !== state;
    });
    var box = document.getElementById("check-" + state);
    if (box.querySelector(".version")) box.querySelector(".version").textContent = version;
    return box;
  }
  async function run(check, version) {
    var folder = whole(chooser.dataset.releases + version + "/"), files, said, box;
    try {
      files = await filesOf(folder);
    } catch (wrong) {
      show("unread", version);
      return;
    }
    try {
      said = await check(files, version);
    } catch (wrong) {
      show("fault", version).querySelector("code").textContent = wrong.message;
      return;
    }
    box = show("whole", version);
    said.signed.forEach(function (one) { box.querySelector("[data-role=" + one[0] + "]").textContent = one[1]; });
    box.querySelector(".noticed").hidden = !said.notices;
    var link = document.createElement("a");
    link.href = folder + "ERRATA.md";
    link.textContent = "ERRATA.md";
    box.querySelector(".noticed span").replaceChildren(link);
  }
  function ready(verifier) {
    var button = chooser.querySelector("button");
    document.getElementById("check-not").hidden = true;
    chooser.hidden = false;
    button.addEventListener("click", function () {
      button.disabled = true;
      show("busy", "");
      run(verifier.check, chooser.querySelector("select").value).finally(function () { button.disabled = false; });
    });
  }
  /* A browser without Ed25519 would call every release damaged. */
  subtle.generateKey("Ed25519", false, ["sign", "verify"]).then(function () {
    return import(whole(chooser.dataset.program));
  }).then(ready, function () {});
})();
