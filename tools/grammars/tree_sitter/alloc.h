#pragma once

// The allocator that grammar scanners ask for; newer tree-sitter releases ship this header.
#include <stdlib.h>

#define ts_malloc malloc
#define ts_calloc calloc
#define ts_realloc realloc
#define ts_free free
