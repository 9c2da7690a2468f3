/* Help of the page that is open now, which may be another one than when the link was made. F1, or "?" on the keys. */
(() => {
  const link = () => document.querySelector("a[data-help]");
  document.addEventListener("click", (event) => {
    const help = event.target.closest?.("a[data-help]");
    if (help) help.href = `${help.dataset.help}?from=${encodeURIComponent(location.pathname)}`;
  }, true);
  // before the desk looks at the key: its first "?" opens the list of keys
  document.addEventListener("keydown", (event) => {
    const again = Rapport.shipped(event.key) === "?" && document.querySelector("#keys")?.open;
    if ((event.key !== "F1" && !again) || event.ctrlKey || event.metaKey || event.altKey || !link()) return;
    event.preventDefault();
    event.stopPropagation();
    link().click();
  }, true);
})();
