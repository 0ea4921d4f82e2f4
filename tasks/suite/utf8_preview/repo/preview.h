#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Texts are UTF-8.

// The number of characters (code points).
size_t characters(std::string_view text);

// The text, or when it is longer than `limit` bytes its beginning and "...".
std::string preview(std::string_view text, size_t limit);

// The first line of a message, as the list of messages shows it.
std::string headline(std::string_view message, size_t limit);
