#pragma once

#include <string>

#include "agent/github/api.h"
#include "agent/github/event.h"
#include "agent/github/inputs.h"

namespace dsv4::agent::github {

// Whether the event's actor may start a run: who is named in the inputs; where nobody is, who has
// write access to the repository and is no bot. Throws Refused.
void check_actor(Api& api, const Event& event, const Inputs& inputs);

// Looks at the issue as it is now: it must be open and no pull request. The text of a manual run is
// taken from it; that of other events stays as it was then, whoever has edited it since. Throws
// Refused, ApiError.
void look_at_issue(Api& api, Event* event);

// Whether a run of this event may work on the commit `sha`: the event's own, or, where the inputs
// name another branch, one that is in that branch's history. Throws Refused, ApiError.
void check_commit(Api& api, const Event& event, const Inputs& inputs, const std::string& sha);

}  // namespace dsv4::agent::github
