/* Nothing is lost with the connection or the page: what was typed last comes back, a note that is sent twice is one,
   and an act that did not arrive is said, and can be pressed again. */
"use strict";
(() => {
  const { $, say } = Rapport;
  const bar = $("#live");
  if (!document.body.dataset.root) return;

  // ------------------------------------------------------------------ what is typed, until the server has it
  const KEPT = { "reply-text": "reply", "note-text": "note" };
  const opened = () => $("#main.talk")?.dataset.conversation || "";
  const place = (what, talk = opened()) => `rapport:${what}:${document.body.dataset.root}${talk}`;
  function read(what) {
    try { return JSON.parse(sessionStorage.getItem(place(what))); } catch { return null; }
  }
  function write(what, value) {
    try {
      if (value === null) sessionStorage.removeItem(place(what));
      else sessionStorage.setItem(place(what), JSON.stringify(value));
    } catch { /* no room, or not allowed: the server's copy has to do */ }
  }
  /* what is kept of the open conversation is kept of this one from now on */
  Rapport.carry = (talk) => {
    if (!talk || talk === opened()) return;
    for (const what of Object.values(KEPT)) {
      const kept = read(what);
      if (!kept) continue;
      write(what, null);
      try { sessionStorage.setItem(place(what, talk), JSON.stringify(kept)); } catch { /* as above */ }
    }
  };
  const saved = { reply: "" }; // what the server has of the open conversation
  document.addEventListener("input", (event) => {
    const what = KEPT[event.target.id];
    if (!what || !opened()) return;
    const before = read(what);
    const text = event.target.value;
    // other words than those that were sent are another note
    const same = before?.key && (!before.sent || before.sent === text);
    write(what, { text, base: what === "reply" ? saved.reply : "", key: same ? before.key : fresh(), sent: same ? before.sent : undefined });
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, requestConfig } = event.detail;
    if (!successful) return;
    if (elt.id === "reply-text") {
      saved.reply = requestConfig.parameters?.text ?? $("#reply-text")?.value ?? "";
      if ($("#reply-text")?.value === saved.reply) write("reply", null);
    }
    if (elt.id === "jot") {
      const note = $("#note-text");
      const rest = note ? after(note.value, jotting) : "";
      write("note", rest ? { text: rest, key: fresh() } : null);
      if (note) note.value = rest;
    }
    if (isSending(elt, requestConfig)) write("reply", null);
  });

  // ------------------------------------------------------------------ what is typed while something is on its way
  const isSending = (elt, config) => elt.id === "reply" && config.verb === "post" && /\/(send|propose)\b/.test(config.path);
  /* what was typed behind the words that were sent; all of it where they were changed */
  const after = (text, sent) => (text.startsWith(sent) ? text.slice(sent.length).trimStart() : text);
  let jotting = ""; // the note that is on its way
  let sending = null; // the reply that is
  let rest = ""; // what was typed meanwhile
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    // the words that leave are no draft any more
    if (elt.id === "reply-text" && sending !== null) return void event.preventDefault();
    if (elt.id === "jot") jotting = $("#note-text").value;
    if (!isSending(elt, requestConfig)) return;
    htmx.trigger("#reply-text", "htmx:abort");
    sending = $("#reply-text").value;
    rest = "";
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig } = event.detail;
    if (sending !== null && requestConfig && isSending(requestConfig.elt, requestConfig) && event.detail.shouldSwap) {
      rest = after($("#reply-text")?.value ?? "", sending);
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, requestConfig } = event.detail;
    if (sending === null || !isSending(elt, requestConfig)) return;
    sending = null;
    const reply = $("#reply-text");
    if (!reply || reply.readOnly) return;
    if (successful && rest && !reply.value) reply.value = rest;
    else if (successful) return;
    reply.dispatchEvent(new Event("input", { bubbles: true }));
    htmx.trigger(reply, "again");
  });
  let shown = "";
  function bringBack() {
    const here = opened();
    if (here === shown) return;
    shown = here;
    const reply = $("#reply-text");
    const note = $("#note-text");
    saved.reply = reply?.value ?? "";
    const typed = read("reply");
    // where two conversations became one, one's words in both stand below each other
    if (typed?.base && reply?.value.endsWith(`\n\n${typed.base}`)) {
      typed.text = reply.value.slice(0, -typed.base.length) + typed.text;
      typed.base = reply.value;
    }
    if (reply && typed && typed.text !== reply.value && !reply.readOnly) {
      // the answer to the last save may have been lost: then the server has more of it than this page knew
      if (typed.base === reply.value || typed.text.startsWith(reply.value.trimEnd())) {
        reply.value = typed.text;
        reply.dispatchEvent(new Event("input", { bubbles: true }));
        // once the box is bound: until then nobody saves it
        setTimeout(() => { if (reply.isConnected && window.htmx) htmx.trigger(reply, "again"); }, 300);
        say(bar.dataset.kept);
      } else {
        say(bar.dataset.else.replace("{words}", typed.text.slice(0, 300)));
        write("reply", null);
      }
    } else if (typed && reply) write("reply", null);
    const jotted = read("note");
    if (note && jotted?.text && !note.value) {
      note.value = jotted.text;
      say(bar.dataset.kept);
    }
  }
  Rapport.settled(bringBack);

  // ------------------------------------------------------------------ one note, however often it is sent
  function fresh() { return [...crypto.getRandomValues(new Uint8Array(12))].map((each) => each.toString(16).padStart(2, "0")).join(""); }
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id !== "jot") return;
    const text = $("#note-text").value;
    const jotted = read("note");
    const key = jotted?.key && (!jotted.sent || jotted.sent === text) ? jotted.key : fresh();
    write("note", { text, key, sent: text });
    event.detail.parameters.key = key;
  });

  // ------------------------------------------------------------------ acts that did not arrive
  let again = null;
  function lost(event) {
    const { elt, requestConfig } = event.detail;
    if (!requestConfig || requestConfig.verb === "get" || elt.id === "reply-text") return;
    bar.hidden = false;
    say(bar.dataset.lost, "error");
    again = null;
    if (elt.closest("form.panel")) return; // its button is still there, with the words
    const { verb, path, parameters } = requestConfig;
    const about = opened();
    again = () => htmx.ajax(verb.toUpperCase(), path, {
      source: "#work", target: "#work", swap: "morph:innerHTML settle:0ms",
      values: parameters instanceof FormData ? Object.fromEntries(parameters.entries()) : { ...parameters },
    });
    const notice = $("#toasts .notice");
    if (!notice || !about) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn link";
    button.dataset.again = "";
    button.textContent = bar.dataset.again;
    notice.append(button);
  }
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-again]") || !again) return;
    const act = again;
    again = null;
    $("#toasts").replaceChildren();
    act();
  });
  window.addEventListener("online", () => { if (document.documentElement.dataset.live === "on") bar.hidden = true; });
})();
