// Switch pushes on in this browser: ask, subscribe, and tell Backstop where to.
const button = document.querySelector("[data-push-key]");
const said = document.getElementById("push-told");

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (each) => each.charCodeAt(0));
}

async function subscribed(registration, key) {
  const options = { userVisibleOnly: true, applicationServerKey: bytesOf(key) };
  try {
    return await registration.pushManager.subscribe(options);
  } catch (error) {
    // Subscribed to an older key of this server: that subscription is of no use any more.
    const old = error.name === "InvalidStateError" && await registration.pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return registration.pushManager.subscribe(options);
  }
}

async function switchOn() {
  if (!isSecureContext) return "Browsers take pushes over https only, or on this machine itself.";
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return "This browser cannot take pushes. On an iPhone, put Backstop on the home screen first.";
  if (await Notification.requestPermission() !== "granted") return "The browser was told not to show notifications: allow them for this site first.";
  await navigator.serviceWorker.register(button.dataset.worker, { scope: "/" });
  const registration = await navigator.serviceWorker.ready;
  const subscription = await subscribed(registration, button.dataset.pushKey);
  const answer = await fetch(button.dataset.devices, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": button.dataset.csrf, Accept: "application/json" },
    body: JSON.stringify(subscription),
  });
  if (!answer.ok) return "Backstop did not take this browser's subscription: reload the page and try again.";
  location.reload();
  return "";
}

button?.addEventListener("click", async () => {
  button.disabled = true;
  try {
    said.textContent = await switchOn();
  } catch {
    said.textContent = "The browser could not reach its push service: check its connection and try again.";
  }
  button.disabled = false;
});
