#pragma once

#include <string>
#include <string_view>

#include "agent/context.h"

namespace dsv4::agent {

// What the model reads before it speaks. The embedded model is trained on these very strings: a
// changed byte is a changed model.

// The system text; the tool schemas follow it in the prompt format's own way.
std::string_view system_text();

// The same for a session with a person, which no model of ours was trained on.
std::string_view chat_system_text();

// Between the repository and a person's first message.
std::string_view chat_opening();

// One file as it is shown: "=== PATH" and its text.
std::string file_text(const ContextFile& file);

// The same for instructions; those of a folder below the root say what they are for.
std::string instructions_text(const ContextFile& file);

// The first part of the user's turn: instructions and the repository. Attempts fork after it.
std::string repository_text(const RepositoryContext& context);

// The second part: the issue, the command and what the tests say before the first turn.
std::string task_text(std::string_view issue, std::string_view test_command, bool tests_pass,
                      std::string_view test_report);

}  // namespace dsv4::agent
