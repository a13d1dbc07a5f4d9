// Two taps on one page: the first is kept at once, the second adds to it under the same key.
"use strict";

// Without a secure address (http in a club) forms go as they always did.
for (const card of self.isSecureContext ? document.querySelectorAll("[data-checkin]") : []) {
  const [first, second] = card.querySelectorAll("form");
  const noted = card.querySelector("[data-noted]"), more = card.querySelector("[data-more]");
  const key = crypto.randomUUID().replaceAll("-", "");
  // A copy of the page is opened many times: its own key would make all its check-ins one.
  for (const form of [first, second]) form.elements.key.value = key;
  const value = (fields, name) => fields.find(([each]) => each === name)?.[1];
  card.addEventListener("backstop:answered", ({ target, detail: { onward, fields } }) => {
    if (onward) { more.querySelector("a").href = onward; more.hidden = false; }
    if (target === first) {
      second.elements.pain_at_rest.value = value(fields, "pain_at_rest");
      first.hidden = true;
      second.hidden = false;
      second.querySelector("button").focus();
      return;
    }
    second.hidden = true;
    card.querySelector("[data-told-last]")?.remove();
    noted.textContent = noted.dataset.words.replace("{rest}", value(fields, "pain_at_rest")).replace("{moving}", value(fields, "pain_in_motion"));
    noted.hidden = false;
    document.body.dispatchEvent(new CustomEvent("backstop:plan"));
  });
}
