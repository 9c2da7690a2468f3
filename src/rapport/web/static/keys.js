/* allauth reports a passkey that did not work only on the console: show it where the person looks. */
document.addEventListener("allauth.error", () => {
  const trouble = document.getElementById("key-trouble");
  if (trouble) trouble.hidden = false;
});
