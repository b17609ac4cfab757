// Keys of the screens, a field to drop a file on; both only add to what works without a script.
(function () {
  "use strict"
  const OFF = "ctdhub-keys-off"
  let off = false
  try { off = window.localStorage.getItem(OFF) === "1" } catch { off = false }

  function rows () { return Array.from(document.querySelectorAll("tr[data-row]")) }
  function current (all) { return all.findIndex(function (row) { return row.contains(document.activeElement) }) }
  function target (row) { return row.querySelector("input[type=checkbox]") || row.querySelector("a, button") }
  function move (step) {
    const all = rows()
    if (!all.length) return
    const at = current(all)
    const to = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))
    const found = target(all[to])
    if (found) { found.focus(); all[to].scrollIntoView({ block: "nearest" }) }
  }
  function press (key) {
    const found = document.querySelector('[data-key="' + key + '"]')
    if (found) found.click()
  }
  function list () {
    const box = document.getElementById("keys")
    if (box && !box.open) box.showModal()
  }
  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return
    const on = event.target
    const typing = on.closest && on.closest("textarea, select, dialog, [contenteditable], input:not([type=checkbox]):not([type=radio])")
    if (typing) return
    if (event.key === "?") { event.preventDefault(); list(); return }
    if (off) return
    if (event.key === "j") move(1)
    else if (event.key === "k") move(-1)
    else if (event.key === "x") {
      const all = rows()
      const box = all[current(all)] && all[current(all)].querySelector("input[type=checkbox]")
      if (box) box.click()
    } else if (event.key === "a" || event.key === "u" || event.key === "n") press(event.key)
    else return
    event.preventDefault()
  })

  function ready () {
    const hint = document.getElementById("keys-hint")
    if (hint) hint.hidden = false
    const choice = document.getElementById("keys-on")
    if (choice) {
      choice.checked = !off
      choice.addEventListener("change", function () {
        off = !choice.checked
        try { window.localStorage.setItem(OFF, off ? "1" : "0") } catch { return }
      })
    }
    document.querySelectorAll("[data-drop]").forEach(function (field) {
      const input = field.querySelector("input[type=file]")
      field.addEventListener("dragover", function (event) { event.preventDefault(); field.classList.add("over") })
      field.addEventListener("dragleave", function () { field.classList.remove("over") })
      field.addEventListener("drop", function (event) {
        event.preventDefault()
        field.classList.remove("over")
        if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; field.requestSubmit() }
      })
      input.addEventListener("change", function () { if (input.files.length) field.requestSubmit() })
    })
  }
  // After a swap the reader stays where they were: the same row, or the summary of what is wrong.
  let place = ""
  document.addEventListener("htmx:beforeSwap", function () {
    const row = document.activeElement && document.activeElement.closest && document.activeElement.closest("tr[data-row]")
    place = row ? row.id : ""
  })
  document.addEventListener("htmx:afterSettle", function () {
    const wrong = document.querySelector("[data-focus]")
    if (wrong) { wrong.focus(); return }
    const row = place && document.getElementById(place)
    if (row && !row.contains(document.activeElement)) { const found = target(row); if (found) found.focus() }
  })
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready)
  else ready()
})()
