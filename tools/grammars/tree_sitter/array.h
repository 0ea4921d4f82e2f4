#pragma once

// The growing array that grammar scanners use; newer tree-sitter releases ship this header.
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "alloc.h"

#define Array(T)       \
  struct {             \
    T* contents;       \
    uint32_t size;     \
    uint32_t capacity; \
  }

// Makes room for `capacity` elements. A scanner has no way to report that memory ran out.
static inline void* array_resized(void* contents, uint32_t capacity, size_t element) {
  void* moved = ts_realloc(contents, (size_t)capacity * element);
  if (!moved) abort();
  return moved;
}

#define array_new() {NULL, 0, 0}
#define array_init(a) ((a)->contents = NULL, (a)->size = 0, (a)->capacity = 0)
#define array_get(a, k) (&(a)->contents[k])
#define array_back(a) (&(a)->contents[(a)->size - 1])
#define array_clear(a) ((a)->size = 0)
#define array_delete(a) (ts_free((a)->contents), array_init(a))
#define array_pop(a) ((a)->contents[--(a)->size])
#define array_reserve(a, n)                                                      \
  do {                                                                           \
    if ((n) > (a)->capacity) {                                                   \
      (a)->contents = array_resized((a)->contents, (n), sizeof(*(a)->contents)); \
      (a)->capacity = (n);                                                       \
    }                                                                            \
  } while (0)
#define array_push(a, value)                                                           \
  do {                                                                                 \
    if ((a)->size == (a)->capacity) array_reserve((a), (a)->size ? (a)->size * 2 : 8); \
    (a)->contents[(a)->size++] = (value);                                              \
  } while (0)
