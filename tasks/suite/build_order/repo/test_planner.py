import unittest

from planner import CycleError, UnknownTarget, plan, stages

NEEDS = {
    "app": ["core", "net"],
    "net": ["core"],
    "core": [],
    "docs": [],
}


class PlanTest(unittest.TestCase):
    def test_needed_first(self):
        self.assertEqual(plan(NEEDS, ["app"]), ["core", "net", "app"])

    def test_only_what_is_wanted(self):
        self.assertEqual(plan(NEEDS, ["docs"]), ["docs"])

    def test_unknown(self):
        with self.assertRaises(UnknownTarget):
            plan({"app": ["gone"]}, ["app"])

    def test_stages(self):
        self.assertEqual(stages(NEEDS, ["app", "docs"]), [["core", "docs"], ["net"], ["app"]])

    def test_cycle_of_two(self):
        with self.assertRaises(CycleError) as caught:
            plan({"app": ["core"], "core": ["app"]}, ["app"])
        self.assertEqual(str(caught.exception), "app -> core -> app")

    def test_cycle_further_down(self):
        needs = {"app": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}
        with self.assertRaises(CycleError) as caught:
            plan(needs, ["app"])
        self.assertEqual(caught.exception.cycle, ["a", "b", "c", "a"])

    def test_needs_itself(self):
        with self.assertRaises(CycleError) as caught:
            plan({"app": ["app"]}, ["app"])
        self.assertEqual(caught.exception.cycle, ["app", "app"])

    def test_diamond_is_no_cycle(self):
        needs = {"top": ["left", "right"], "left": ["base"], "right": ["base"], "base": []}
        self.assertEqual(plan(needs, ["top"]), ["base", "left", "right", "top"])
