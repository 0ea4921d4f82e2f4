#include "tools/error.h"
