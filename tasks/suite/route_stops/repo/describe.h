#pragma once

#include <string>

#include "network.h"

// One line for passengers about the fastest way.
std::string describe(const Network& network, const std::string& from, const std::string& to);
