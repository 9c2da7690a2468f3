// What leaves by a person's own hand: the words go to the clipboard as the site of the network opens; likes and shares.
"use strict";
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-copies]") : null;
  const words = link ? document.getElementById(link.dataset.copies) : null;
  if (words && navigator.clipboard) navigator.clipboard.writeText(words.textContent.trim()).catch(() => {});
});
// "l" and "b" act on the post that has the focus, else on their newest one
function actOn(kind) {
  const wanted = `[data-act=${kind}]`;
  const all = [...document.querySelectorAll(`#thread ${wanted}`)];
  (document.activeElement?.closest?.("article.msg")?.querySelector(wanted) || all[all.length - 1])?.click();
}
Rapport.key("l", () => actOn("like"), { open: true });
Rapport.key("b", () => actOn("boost"), { open: true });
