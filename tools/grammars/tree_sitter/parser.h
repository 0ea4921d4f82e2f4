#pragma once

// The distribution's tree-sitter (0.20) speaks the table format of these grammars (ABI 14), but its
// parser.h predates what their generated code uses: three names, and REDUCE with
// its last two arguments by position. This header brings it up to date.
#include_next <tree_sitter/parser.h>

#ifndef ADVANCE_MAP

typedef struct {
  int32_t first;
  int32_t last;
} TSCharacterRange;

// Whether `c` is in one of `count` sorted, disjoint ranges.
static inline bool set_contains(const TSCharacterRange* ranges, uint32_t count, int32_t c) {
  uint32_t low = 0;
  uint32_t high = count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (c < ranges[middle].first) {
      high = middle;
    } else if (c > ranges[middle].last) {
      low = middle + 1;
    } else {
      return true;
    }
  }
  return false;
}

// Inside a lexing function: pairs of (character, next state).
#define ADVANCE_MAP(...)                                                 \
  {                                                                      \
    static const uint16_t pairs[] = {__VA_ARGS__};                       \
    for (size_t k = 0; k + 1 < sizeof(pairs) / sizeof(*pairs); k += 2) { \
      if (pairs[k] == lookahead) {                                       \
        state = pairs[k + 1];                                            \
        goto next_state;                                                 \
      }                                                                  \
    }                                                                    \
  }

#undef REDUCE
#define REDUCE(name, children, precedence, production) \
  {                                                    \
    {                                                  \
      .reduce = {                                      \
          .type = TSParseActionTypeReduce,             \
          .child_count = (children),                   \
          .symbol = (name),                            \
          .dynamic_precedence = (precedence),          \
          .production_id = (production),               \
      },                                               \
    }                                                  \
  }

#endif
