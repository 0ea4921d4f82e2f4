#include <cassert>

#include "gauge.h"

int main() {
  assert(percent(-5, 10) == 0);
  assert(percent(150, 100) == 100);
  assert(percent(1, 4) == 25);
}
