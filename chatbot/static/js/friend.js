// Shaping the companion: the face shows the colour and the manner at once.
const form = document.querySelector("[data-friend]");
const face = document.querySelector(".friend-top [data-face]");

function show() {
  const data = new FormData(form);
  document.documentElement.dataset.accent = data.get("colour") ?? "honey";
  const [name, value] = ["playful", "curious", "gentle"].map((key) => [key, Number(data.get(key))]).sort((a, b) => b[1] - a[1])[0];
  if (face) face.dataset.persona = data.get("persona") ?? "classic";
  if (face) face.dataset.mood = value < 35 ? "calm" : { playful: "silly", curious: "curious", gentle: "sunny" }[name];
}

form?.addEventListener("input", show);
// Somebody may have chosen before this was loaded.
if (form && new FormData(form).get("colour") !== document.documentElement.dataset.accent) show();
