#include <cassert>

#include "calendar.h"

int main() {
  assert(days_in_february(2000) == 29);
  assert(days_in_february(1900) == 28);
  assert(days_in_february(2023) == 28);
  assert(days_in_february(2024) == 29);
}
