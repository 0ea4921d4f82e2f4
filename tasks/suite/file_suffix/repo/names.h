#pragma once

#include <string>

// What the name of an uploaded file says about it. Names are compared without regard to case.

enum class Kind { kImage, kArchive, kText, kOther };

std::string lower_case(std::string text);

bool has_suffix(const std::string& name, const std::string& suffix);

// The name without the suffix, when it has it.
std::string without_suffix(const std::string& name, const std::string& suffix);

Kind kind_of(const std::string& name);
