#include <cstdio>

#include "describe.h"
#include "network.h"

namespace {

int failures = 0;

void check(const char* name, bool passed) {
  static int number = 0;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (!passed) ++failures;
}

}  // namespace

int main() {
  using Stops = std::vector<std::string>;
  Network network;
  network.connect("Harbour", "Market", 5);
  network.connect("Market", "Museum", 9);
  network.connect("Market", "Station", 2);
  network.connect("Station", "Museum", 4);
  network.connect("Airport", "Hotel", 1);
  check("route to the next stop", network.route("Harbour", "Market") == Stops{"Harbour", "Market"});
  check("fastest route",
        network.route("Harbour", "Museum") == Stops{"Harbour", "Market", "Station", "Museum"});
  check("fastest route back",
        network.route("Museum", "Harbour") == Stops{"Museum", "Station", "Market", "Harbour"});
  check("route to itself", network.route("Hotel", "Hotel") == Stops{"Hotel"});
  check("no route", network.route("Harbour", "Airport").empty());
  check("no route from an unknown stop", network.route("Moon", "Moon").empty());
  check("two stops between", describe(network, "Harbour", "Museum") ==
                                 "Harbour to Museum: 11 minutes via Market, Station");
  check("one stop between",
        describe(network, "Harbour", "Station") == "Harbour to Station: 7 minutes via Market");
  check("no stop between", describe(network, "Airport", "Hotel") == "Airport to Hotel: 1 minutes");
  return failures != 0;
}
