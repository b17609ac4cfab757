/* People whom a number, a range or a bound counts, by the forms of signs: people_words in core/format.py. */
function ctdhubPeople(forms, written) {
  "use strict";
  var parts = /^(.*?)( \(.*)?$/.exec(written), size = parts[1];
  var numbers = size.match(/[0-9](?:[,.\u202f]?[0-9])*/g), n = Number(numbers[numbers.length - 1].replace(/[^0-9]/g, ""));
  n = numbers.length > 1 ? Math.max(n, 3) : n > 2 || size.length === 1 ? n : 100;
  var kind = new Intl.PluralRules(document.documentElement.lang).select(n);
  return (forms[kind] || forms.other).replace("{people}", size) + (parts[2] || "");
}
