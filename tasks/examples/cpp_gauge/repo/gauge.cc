#include "gauge.h"

int percent(int value, int full) {
  int result = value * 100 / full;
  if (result < 0) return 0;
  if (result < 100) return 100;
  return result;
}
