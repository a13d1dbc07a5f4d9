// Tones or a voice, if somebody wants them. The choice stays on the device.

const KEY = "backstop-guided-sound";

export class Sound {
  constructor(select) {
    this.select = select;
    // A browser that keeps nothing begins without sound.
    try { select.value = localStorage.getItem(KEY) ?? "off"; } catch { select.value = "off"; }
    if (!select.value) select.value = "off";
    select.addEventListener("change", () => {
      try { localStorage.setItem(KEY, select.value); } catch { /* for this page, then */ }
      this.wake();
      this.go();
    });
  }

  // A browser plays only after somebody has touched the page.
  wake() {
    if (this.select.value !== "off") { this.audio ??= new AudioContext(); this.audio.resume(); }
  }

  tone(hz, seconds = 0.12) {
    if (this.select.value === "off" || !this.audio) return;
    const from = this.audio.currentTime, wave = this.audio.createOscillator(), loud = this.audio.createGain();
    wave.frequency.value = hz;
    loud.gain.setValueAtTime(0.15, from);
    loud.gain.exponentialRampToValueAtTime(0.001, from + seconds);
    wave.connect(loud).connect(this.audio.destination);
    wave.start(from);
    wave.stop(from + seconds);
  }

  say(text) {
    if (this.select.value !== "voice" || !self.speechSynthesis || !text) return false;
    const said = new SpeechSynthesisUtterance(text);
    said.lang = document.documentElement.lang;
    speechSynthesis.cancel();
    speechSynthesis.speak(said);
    return true;
  }

  count(number) { if (!this.say(String(number))) this.tone(660); }
  go(text) { if (!this.say(text)) this.tone(520, 0.25); }
  hold() { this.tone(440); }
  enough() { this.tone(880, 0.3); }
  rest(text) { if (!this.say(text)) this.tone(330, 0.4); }
}
