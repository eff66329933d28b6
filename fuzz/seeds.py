"""Where the fuzzer starts from: the inputs of the published examples, and some that break readers of JSON.

`python -m fuzz.seeds` writes them into fuzz/corpus, and those of MQTT into fuzz/corpus-mqtt; a test compares
them.
"""

from __future__ import annotations

import json
from pathlib import Path

from fuzz.mqtt_claims import SEEDS

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
MQTT_CORPUS = ROOT / "fuzz" / "corpus-mqtt"
VECTORS = ROOT / "tests" / "vectors"

HOSTILE = {
    "deep": b'{"id":"a","request":' + b"[" * 130 + b"]" * 130 + b"}",
    "wide": b"[" + b'{"":0},' * 700 + b"0]",
    "two-equal-keys": b'{"id":"a","id":7,"request":{},"request":{"recipient":{}}}',
    "half-a-pair": b'{"id":"a\\ud83d","request":{"recipient":{"name":"\\udd14"}}}',
    "huge-numbers": b'{"id":' + b"9" * 50 + b',"request":{"recipient":{},"retries":1e999}}',
    "words-of-python": b'{"id":NaN,"request":-Infinity}',
    "byte-order-mark": b'\xef\xbb\xbf{"id":"\xc3\xa9"}',
    "not-utf-8": b'{"id":"\xff"}',
    "extensions": b'{"id":"a","request":{"priority":"urgent","valid_for_seconds":0.5,"recipient":{}}}',
}


def seeds() -> dict[str, bytes]:
    """File name → content."""
    examples = {}
    for path in sorted(VECTORS.glob("*.json")):
        vector = json.loads(path.read_text(encoding="utf-8"))
        if "input" in vector:
            examples[path.stem] = json.dumps(vector["input"], ensure_ascii=False).encode()
    return examples | HOSTILE


def main() -> None:
    for corpus, contents in ((CORPUS, seeds()), (MQTT_CORPUS, SEEDS)):
        corpus.mkdir(exist_ok=True)
        for name, content in contents.items():
            (corpus / name).write_bytes(content)


if __name__ == "__main__":
    main()
