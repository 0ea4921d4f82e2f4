"""In which order to build targets so that what a target needs is built before it."""


class UnknownTarget(Exception):
    pass


class CycleError(Exception):
    """Targets that need each other; `cycle` begins and ends with the same one."""

    def __init__(self, cycle):
        super().__init__(" -> ".join(cycle))
        self.cycle = cycle


def plan(needs, wanted):
    """Everything that `wanted` needs, in build order. needs: {target: [targets it needs]}."""
    order = []
    done = set()
    for target in wanted:
        _visit(target, needs, done, order, path=[])
    return order


def _visit(target, needs, done, order, path):
    if target in done:
        return
    if target not in needs:
        raise UnknownTarget(target)
    for needed in needs[target]:
        _visit(needed, needs, done, order, path)
    done.add(target)
    order.append(target)


def stages(needs, wanted):
    """The plan as lists of targets that can be built at the same time."""
    level = {}
    for target in plan(needs, wanted):
        level[target] = 1 + max((level[needed] for needed in needs[target]), default=-1)
    return [[target for target in level if level[target] == number]
            for number in range(max(level.values(), default=-1) + 1)]
