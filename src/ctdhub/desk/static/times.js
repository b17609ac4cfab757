// Times in the zone of the browser, with its name; without scripts they are in UTC and say so.
document.addEventListener("htmx:load", function (event) {
  const lang = document.documentElement.lang
  const form = new Intl.DateTimeFormat((lang === "en" ? "en-GB" : lang) + "-u-nu-latn", {
    day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short"
  })
  event.target.querySelectorAll("time[datetime]").forEach(function (time) {
    time.title = time.textContent
    time.textContent = form.format(new Date(time.dateTime))
  })
})
