"""Train the nano model's tokenizer and encode episodes with it.

    python tokenizer.py --episodes DIR --out tokenizer.json [--vocab 1792]

Byte-level BPE. Two decisions make copying cheap to learn, which is most of what this model does:

* a name is cut the same way wherever it stands: blanks belong to punctuation, keywords and common
  words, never to names;
* what never varies is one token. Every line of the constant system and tools block, and every
  piece of tool-call scaffolding that the episodes contain often, is an added token. Scaffolding is
  flagged special, so that it is recognised in markup only.
"""

import argparse
import collections
import glob
import json
import os

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from encoder import BOS, EOS, PAD, Encoder, read_shard

TURN = ["<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"]
RESULT = ["<tool_result>", "</tool_result>", "</tool_result>\n\n<tool_result>"]
CALLS = [
    "｜DSML｜",
    "\n\n<｜DSML｜tool_calls>\n",
    "</｜DSML｜parameter>\n",
    "</｜DSML｜invoke>\n",
    "</｜DSML｜tool_calls>",
]

WORDS = (
    "return if elif else for in while not and or is def class import from assert raise with "
    "as lambda None True False const int auto size_t bool double void char unsigned long "
    "static std the a an of to that it its be are was were but should on returns gives get "
    "got expected instead at by when this what one with there never has have does do calling "
    "answer right wrong Error FAIL see tests test line lines"
).split()
SPLIT = (
    r" ?(?<![A-Za-z_])(?:" + "|".join(sorted(set(WORDS))) + r")(?![A-Za-z_0-9]) ?"
    r"|\n[ \t]*|[ \t]{2,}|\t"
    r"|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]"
    r"|[0-9]{1,3}|_+"
    r"| ?[^\sA-Za-z0-9_]+ ?|\s"
)


def scaffolding(episodes, least: int):
    """Assistant markup seen at least `least` times, and the constant lines of the system block."""
    seen, lines = collections.Counter(), {}
    for episode in episodes:
        for segment in episode["segments"]:
            text = segment["text"]
            if segment["markup"] and segment["role"] == "assistant":
                seen[text.removesuffix(EOS)] += 1
            elif segment["role"] == "system":
                for line in text.removeprefix(BOS).splitlines(keepends=True):
                    if len(line.strip()) > 3:
                        lines[line] = None
    return [t for t, n in seen.most_common() if n >= least and t not in CALLS], list(lines)


def train(episodes, vocab: int):
    pieces, lines = scaffolding(episodes, 20)
    special = [BOS, EOS, PAD, *TURN, *CALLS, *RESULT]
    schemas = [json.loads(line) for line in lines if line.startswith('{"name"')]
    for tool in schemas:
        special.append(f'<｜DSML｜invoke name="{tool["name"]}">\n')
    for tool in schemas:
        for name, value in tool["parameters"]["properties"].items():
            kind = "true" if value["type"] == "string" else "false"
            special.append(f'<｜DSML｜parameter name="{name}" string="{kind}">')
    special += pieces
    special = list(dict.fromkeys(special))
    lines = [line for line in lines if line not in special]

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()

    def texts():
        for episode in episodes:
            for segment in episode["segments"]:
                if not segment["markup"]:
                    yield segment["text"]

    trainer = trainers.BpeTrainer(
        vocab_size=vocab - len(lines),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=8,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.add_tokens([AddedToken(line, special=False, normalized=False) for line in lines])
    return tokenizer


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--episodes", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--vocab", type=int, default=1792)
    args = a.parse_args()
    episodes = []
    for path in sorted(glob.glob(os.path.join(args.episodes, "*.jsonl.gz"))):
        if not os.path.basename(path).startswith("valid"):
            episodes += read_shard(path)
    tokenizer = train(episodes, args.vocab)
    tokenizer.save(args.out, pretty=False)
    encoder = Encoder(args.out)
    sizes = collections.defaultdict(list)
    for episode in episodes[:600]:
        sizes[episode["shape"]].append(len(encoder.episode(episode["segments"])[0]))
    for shape, values in sizes.items():
        values.sort()
        print(
            shape,
            "tokens: median",
            values[len(values) // 2],
            "p90",
            values[int(len(values) * 0.9)],
            "max",
            values[-1],
        )
    print("vocabulary", encoder.size)


if __name__ == "__main__":
    main()
