// v: offer something to the person of the open conversation.
"use strict";
Rapport.key("v", () => {
  const box = document.getElementById("offer-new");
  if (!box) return;
  box.open = true;
  document.getElementById("offer-what")?.focus();
}, { open: true });
