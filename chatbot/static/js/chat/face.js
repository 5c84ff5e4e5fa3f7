// The face in the header: mood, looking up while thinking, arms on arrival. CSS does the moving.
const MOODS = ["sunny", "curious", "silly", "calm", "serious", "sleepy", "thoughtful", "proud"];

export class Face {
  #node;

  constructor(node) {
    this.#node = node;
  }

  mood(name) {
    if (this.#node && MOODS.includes(name)) this.#node.dataset.mood = name;
  }

  thinking(on) {
    this.#node?.classList.toggle("thinking", on);
  }

  /** Arms open for a moment. */
  hug() {
    this.#node?.classList.add("hug");
    setTimeout(() => this.#node?.classList.remove("hug"), 1200);
  }
}
