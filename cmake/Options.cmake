# Compiler settings shared by every target: link dsv4_options to get them.
add_library(dsv4_options INTERFACE)
target_include_directories(dsv4_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(dsv4_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                            -Werror>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra -Werror=all-warnings>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlapping copies inside its own std::string operator+ (its bug 105651).
  target_compile_options(dsv4_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(DSV4_SANITIZE)
  target_compile_options(dsv4_options INTERFACE -fsanitize=${DSV4_SANITIZE}
                                                -fno-sanitize-recover=all -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With the checks compiled in, GCC 12 takes std::regex's own members for uninitialized.
    target_compile_options(dsv4_options INTERFACE -Wno-maybe-uninitialized)
    if(DSV4_SANITIZE MATCHES "thread")
      # Boost.Asio's fences are not seen by it; the mutexes beside them are.
      target_compile_options(dsv4_options INTERFACE -Wno-tsan)
    endif()
  endif()
  target_link_options(dsv4_options INTERFACE -fsanitize=${DSV4_SANITIZE})
endif()
if(DSV4_FUZZ)
  target_compile_options(dsv4_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined
                                                -fno-sanitize-recover=all)
  target_link_options(dsv4_options INTERFACE -fsanitize=address,undefined)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
