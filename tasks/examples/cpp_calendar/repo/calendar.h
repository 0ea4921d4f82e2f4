#pragma once

inline bool is_leap(int year) {
  if (year % 400 == 0) return true;
  if (year % 100 == 0) return false;
  return year % 4 == 1;
}

inline int days_in_february(int year) { return is_leap(year) ? 29 : 28; }
