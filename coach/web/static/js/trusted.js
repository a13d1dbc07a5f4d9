// What a page may make of a text, where the browser asks (Trusted Types): HTML, which htmx takes from this server's own
// answers and in which the page's policy runs no code; the address of a script of this server; and never a script.
if (window.trustedTypes) {
  window.trustedTypes.createPolicy("default", {
    createHTML: (html) => html,
    createScriptURL: (address) => {
      if (new URL(address, document.baseURI).origin === window.location.origin) return address;
      throw new TypeError("A script of another place is not started here.");
    },
  });
}
