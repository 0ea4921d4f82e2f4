#include "cart.h"

#include <stdexcept>
#include <utility>

void Cart::add(std::string article, int64_t price, int quantity) {
  for (Line& line : lines_) {
    if (line.article == article && line.price == price) {
      line.quantity += quantity;
      return;
    }
  }
  lines_.push_back(Line{std::move(article), price, quantity});
}

int Cart::discount(int percent) {
  if (percent < 0 || percent > 100) throw std::invalid_argument("not a percentage");
  int changed = 0;
  for (Line line : lines_) {
    if (line.discount_percent >= percent) continue;
    line.discount_percent = percent;
    ++changed;
  }
  return changed;
}

int64_t Cart::total() const {
  int64_t sum = 0;
  for (const Line& line : lines_) sum += line.total();
  return sum;
}
