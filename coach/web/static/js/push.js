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
  if (!isSecureContext) return button.dataset.https;
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return button.dataset.cannot;
  if (await Notification.requestPermission() !== "granted") return button.dataset.denied;
  await navigator.serviceWorker.register(button.dataset.worker, { scope: "/" });
  const registration = await navigator.serviceWorker.ready;
  const subscription = await subscribed(registration, button.dataset.pushKey);
  const answer = await fetch(button.dataset.devices, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": button.dataset.csrf, Accept: "application/json" },
    body: JSON.stringify(subscription),
  });
  if (!answer.ok) return button.dataset.refused;
  location.reload();
  return "";
}

button?.addEventListener("click", async () => {
  button.disabled = true;
  try {
    said.textContent = await switchOn();
  } catch {
    said.textContent = button.dataset.unreached;
  }
  button.disabled = false;
});
