"""What users of the task generator count on: seeds, splits, real tests, faithful transcripts."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from llm.nano.tasks import compose, cpp, edits, episode, mutate, names, pool, source  # noqa: E402


def tasks_of(split, count, seed="test"):
    families = pool.Pool(split)
    return [pool.make_task(families, "%s.%d" % (seed, i)) for i in range(count)]


def run_for_real(task, files):
    """Runs the task's test command on files on disk; returns (exit status, output)."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            pathlib.Path(folder, path).write_text(text)
        command = task.test.replace("/tmp/", folder + "/")
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        return done.returncode, done.stdout + done.stderr


class Tasks(unittest.TestCase):
    def test_a_seed_always_gives_the_same_task(self):
        first, second = (json.dumps([t.as_dict() for t in tasks_of("train", 3)]) for _ in "ab")
        self.assertEqual(first, second)

    def test_tests_really_fail_with_the_bug_and_pass_without(self):
        for split in pool.SPLITS:
            for task in tasks_of(split, 4):
                with self.subTest(task.id):
                    self.assertEqual(run_for_real(task, task.files)[0], 0)
                    status, output = run_for_real(task, task.broken_files())
                    self.assertNotEqual(status, 0)
                    # The report that the simulator expects names the failure that really happened.
                    first = task.report.split("\n")[1].removeprefix("FAIL ").split(": ")
                    self.assertIn(first[-1] if len(first) == 2 else first[0], output)

    def test_cpp_is_what_the_python_original_computes(self):
        found = 0
        for task in tasks_of("train", 30, "cpp"):
            if task.lang == "cpp" and found < 3:
                found += 1
                self.assertEqual(run_for_real(task, task.files)[0], 0, task.files)
        self.assertGreater(found, 0)


    def test_a_cpp_bug_may_lie_in_what_the_tested_function_calls(self):
        families = pool.Pool("train")
        wrapped = pool.Pool("train")
        wrapped.draw = lambda rng: compose.wrap(families.draw(rng), rng)
        found = 0
        for i in range(40):
            task = pool.make_task(wrapped, "chain.%d" % i)
            if task.lang == "cpp" and task.bug["symbol"] != task.bug["main"] and found < 2:
                found += 1
                self.assertEqual(run_for_real(task, task.files)[0], 0, task.files)
                self.assertNotEqual(run_for_real(task, task.broken_files())[0], 0)
        self.assertEqual(found, 2)


class Splits(unittest.TestCase):
    def test_names_for_scoring_are_never_names_of_training(self):
        def drawn(scoring):
            namer = names.Namer(random.Random(5), scoring)
            return {namer.pseudo() for _ in range(400)}

        self.assertFalse(drawn(True) & drawn(False))

    def test_families_are_on_one_side_and_enough_are_held_out(self):
        train = {f.name for f in pool.Pool("train").functions}
        unseen = {f.name for f in pool.Pool("unseen-family").functions}
        self.assertFalse(train & unseen)
        self.assertGreaterEqual(len(unseen), 0.12 * len(train | unseen))
        self.assertGreater(len(train), 250)

    def test_training_never_shows_a_held_out_kind(self):
        self.assertFalse({t.kind for t in tasks_of("train", 25)} & set(mutate.HELD_OUT_KINDS))
        self.assertLessEqual(
            {t.kind for t in tasks_of("unseen-kind", 5)}, set(mutate.HELD_OUT_KINDS)
        )


class Edits(unittest.TestCase):
    BEFORE = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total"

    def test_one_line(self):
        edit = edits.line_edit("f", self.BEFORE, self.BEFORE.replace("+=", "-="))
        self.assertEqual((edit.old, edit.new), ("total += x", "total -= x"))

    def test_an_inserted_line_comes_with_the_one_before_it(self):
        after = self.BEFORE.replace("= 0\n", "= 0\n    seen = 1\n")
        edit = edits.line_edit("f", self.BEFORE, after)
        self.assertIn(edit.old, self.BEFORE)
        self.assertIn("seen = 1", edit.new)
        self.assertNotIn("seen", edit.old)

    def test_a_line_that_occurs_twice_is_told_apart(self):
        before = "def f(x):\n    x += 1\n    y = x\n    x += 1\n    return x"
        edit = edits.line_edit(
            "f", before, before.replace("y = x\n    x += 1", "y = x\n    x += 2")
        )
        self.assertEqual(edits.occurrences(before.split("\n"), edit.old.split("\n")), 1)


class Transcripts(unittest.TestCase):
    def test_the_teacher_ends_with_passing_tests(self):
        played = 0
        for task in tasks_of("train", 6, "play"):
            transcript = episode.play(task, random.Random(1))
            if transcript is None:
                continue
            played += 1
            text = transcript.text()
            self.assertIn("<tool_result>The tests pass.</tool_result>", text)
            self.assertEqual(transcript.turns[-1][0]["name"], "finish")
        self.assertGreater(played, 3)

    def test_a_wrong_try_is_not_learnt(self):
        for task in tasks_of("train", 20, "wrong"):
            transcript = episode.play(task, random.Random(3))
            if transcript and transcript.tries:
                wrong = [
                    s for s in transcript.segments if s["role"] == "assistant" and not s["loss"]
                ]
                self.assertGreaterEqual(len(wrong), 2 * transcript.tries)
                return
        self.fail("no wrong try in 20 episodes")

    def test_data_is_never_markup(self):
        task = tasks_of("train", 1, "data")[0]
        for segment in episode.play(task, random.Random(1)).segments:
            if segment["role"] in ("repo", "issue", "result"):
                self.assertFalse(segment["markup"])


class Translation(unittest.TestCase):
    def test_division_is_the_one_of_cpp(self):
        space = {}
        exec(cpp.guarded("def f(a, b):\n    return a // b * 100 + a % b"), space)
        self.assertEqual(space["f"](-7, 2), -3 * 100 - 1)
        self.assertEqual(space["f"](7, 2), 301)

    def test_what_has_no_counterpart_is_refused(self):
        style = cpp.Style(random.Random(1))
        signature = {"f": cpp.Signature([cpp.INTS], cpp.INT)}
        with self.assertRaises(cpp.Unsupported):
            cpp.translate("def f(xs):\n    return sum(x for x in xs if x)", style, signature)


class Families(unittest.TestCase):
    def test_every_family_can_be_called(self):
        from llm.nano.tasks import task

        useless = []
        for family in source.load_families():
            for seed in range(12):
                rng = random.Random(seed)
                try:
                    task.unit_of(source.instantiate(family, names.Namer(rng)), rng)
                    break
                except task.Unusable:
                    continue
            else:
                useless.append(family.name)
        self.assertEqual(useless, [])


if __name__ == "__main__":
    unittest.main()
