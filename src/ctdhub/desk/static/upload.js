// Sends a file in parts by the tus protocol, and goes on where it stopped; without it the form is a plain one.
(function () {
  "use strict"
  const form = document.getElementById("send")
  if (!form || !window.crypto || !crypto.subtle) return
  const field = document.getElementById("file"), drop = document.getElementById("drop")
  const line = document.getElementById("progress"), bar = line.querySelector("progress")
  const said = document.getElementById("said"), go = document.getElementById("go")
  const part = Number(form.dataset.part), version = { "Tus-Resumable": "1.0.0" }
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value

  function say (words, share) {
    line.hidden = false
    said.textContent = words
    if (share !== undefined) bar.value = share
  }
  function hex (buffer) {
    return Array.from(new Uint8Array(buffer), function (b) { return b.toString(16).padStart(2, "0") }).join("")
  }
  function base64 (buffer) { return btoa(String.fromCharCode.apply(null, new Uint8Array(buffer))) }
  function pairs (values) {
    return Object.keys(values).filter(function (k) { return values[k] })
      .map(function (k) { return k + " " + btoa(values[k]) }).join(",")
  }
  function ask (address, method, headers, body) {
    return fetch(address, { method, body, credentials: "same-origin", redirect: "error",
      headers: Object.assign({ "X-CSRFToken": token }, version, headers) })
  }
  function wait (ms) { return new Promise(function (done) { setTimeout(done, ms) }) }

  async function begun (file, sum, kept) {
    const earlier = sessionStorage.getItem(kept)
    if (earlier) {
      const head = await ask(earlier, "HEAD", {})
      if (head.ok) return { address: earlier, offset: Number(head.headers.get("Upload-Offset")) }
    }
    const chosen = form.querySelector("[name=organisation]")
    const made = await ask(form.dataset.uploads, "POST", {
      "Upload-Length": String(file.size),
      "Upload-Metadata": pairs({ kind: file.name.split(".").pop().toLowerCase().replace(/[^a-z0-9]/g, ""), sha256: sum,
        replaces: form.querySelector("[name=replaces]").value, organisation: chosen ? chosen.value : "" })
    })
    if (made.status !== 201) throw new Error((await made.text()) || form.dataset.failed)
    const address = made.headers.get("Location")
    sessionStorage.setItem(kept, address)
    return { address, offset: 0 }
  }

  async function send (file) {
    if (file.size > Number(form.dataset.longest)) { say(form.dataset.large); return }
    go.disabled = true
    try {
      say(form.dataset.hashing, 0)
      const sum = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()))
      const kept = "upload:" + sum + form.querySelector("[name=replaces]").value
      let at = await begun(file, sum, kept), tries = 0
      while (at.offset < file.size) {
        const body = await file.slice(at.offset, at.offset + part).arrayBuffer()
        try {
          const answer = await ask(at.address, "PATCH", {
            "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(at.offset),
            "Upload-Checksum": "sha256 " + base64(await crypto.subtle.digest("SHA-256", body))
          }, body)
          if (answer.status === 507) { say(await answer.text()); go.disabled = false; return }
          if (answer.status !== 204) throw new Error(String(answer.status))
          at.offset = Number(answer.headers.get("Upload-Offset"))
          tries = 0
        } catch (lost) {
          if (++tries > 8) throw new Error(form.dataset.failed)
          say(form.dataset.waiting)
          await wait(Math.min(500 * 2 ** tries, 15000))
          try { at = await begun(file, sum, kept) } catch (still) { continue }
        }
        say(form.dataset.sending, Math.floor(100 * at.offset / file.size))
      }
      sessionStorage.removeItem(kept)
      say(form.dataset.done, 100)
      location.assign(at.address.replace(/upload\/$/, ""))
    } catch (met) {
      say(met.message)
      go.disabled = false
    }
  }
  form.addEventListener("submit", function (event) {
    if (!field.files.length || !form.reportValidity()) return
    event.preventDefault()
    send(field.files[0])
  })
  ;["dragover", "drop"].forEach(function (name) {
    drop.addEventListener(name, function (event) {
      event.preventDefault()
      if (name === "drop" && event.dataTransfer.files.length) field.files = event.dataTransfer.files
    })
  })
})()
