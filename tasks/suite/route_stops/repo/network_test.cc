#include "network.h"

#include <cstdio>

#include "describe.h"

namespace {

int failures = 0;

void check(const char* name, bool passed) {
  static int number = 0;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (!passed) ++failures;
}

}  // namespace

int main() {
  Network network;
  network.connect("Harbour", "Market", 5);
  network.connect("Market", "Museum", 9);
  network.connect("Market", "Station", 2);
  network.connect("Station", "Museum", 4);
  network.connect("Airport", "Hotel", 1);
  check("next stop", network.minutes("Harbour", "Market") == 5);
  check("faster with a change", network.minutes("Harbour", "Museum") == 11);
  check("back again", network.minutes("Museum", "Harbour") == 11);
  check("to itself", network.minutes("Hotel", "Hotel") == 0);
  check("no way", !network.minutes("Harbour", "Airport"));
  check("no such stop", !network.minutes("Moon", "Moon"));
  check("described", describe(network, "Airport", "Hotel") == "Airport to Hotel: 1 minutes");
  check("no way is described",
        describe(network, "Hotel", "Market") == "no way from Hotel to Market");
  return failures != 0;
}
