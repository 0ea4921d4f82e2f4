#include "sandbox/init_image.h"

#include <cstddef>

// The assembler embeds the file that the build made just before; DSV4_INIT_PROGRAM is its path.
asm(".section .rodata\n"
    ".balign 16\n"
    ".global dsv4_init_begin\n"
    ".global dsv4_init_end\n"
    "dsv4_init_begin:\n"
    ".incbin \"" DSV4_INIT_PROGRAM
    "\"\n"
    "dsv4_init_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char dsv4_init_begin[];
extern const char dsv4_init_end[];
}

namespace dsv4::sandbox {

std::string_view init_image() {
  return {dsv4_init_begin, static_cast<size_t>(dsv4_init_end - dsv4_init_begin)};
}

}  // namespace dsv4::sandbox
