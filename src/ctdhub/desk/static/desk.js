// Small things of every page: focus on the summary of errors, passkey buttons, single-key commands.
(function () {
  "use strict"
  function ready () {
    const summary = document.querySelector("[data-focus]")
    if (summary) summary.focus()
    const passkeys = window.allauth && window.allauth.webauthn && window.allauth.webauthn.forms
    document.querySelectorAll("script[data-passkey]").forEach(function (block) {
      if (passkeys) passkeys[block.dataset.passkey](JSON.parse(block.textContent))
    })
    document.querySelectorAll("[data-print]").forEach(function (button) {
      button.hidden = false
      button.addEventListener("click", function () { window.print() })
    })
  }
  document.addEventListener("allauth.error", function (event) {
    event.preventDefault()
    const place = document.getElementById("passkey-failed")
    if (place) { place.hidden = false; place.focus() }
  })
  document.addEventListener("DOMContentLoaded", ready) // after every deferred script
})()
