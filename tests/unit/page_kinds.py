"""One page of each kind that the site of the invented release has."""

KINDS = (
    "index.html",
    "explore.html",
    "countries/index.html",
    "countries/europe.html",
    "countries/ukr.html",
    "corridors.html",
    "map.html",
    "trends.html",
    "data.html",
    "standards/htcds-2.html",
    "methods.html",
    "help.html",
    "learn/index.html",
    "learn/meaning.html",
    "learn/intervals.html",
    "learn/blanks.html",
    "learn/trainer.html",
    "events.html",
    "stories/index.html",
    "stories/what-was-not-written-down.html",
)
