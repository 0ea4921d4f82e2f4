# What each room may link, by name. cmake/setup.sh installs the packages.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)

if(DSV4_AGENT)
  find_package(Boost 1.81 REQUIRED COMPONENTS filesystem program_options)
  find_package(OpenSSL 3 REQUIRED)
  pkg_check_modules(LIBEDIT REQUIRED IMPORTED_TARGET libedit)
  pkg_check_modules(LIBGIT2 REQUIRED IMPORTED_TARGET libgit2)
  pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
  pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
  pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
  pkg_check_modules(TREE_SITTER REQUIRED IMPORTED_TARGET tree-sitter)
endif()

# Catch2 3 where the distribution has it (Ubuntu 24.04), else the single header of Catch2 2
# (Debian 12). tests/catch.h hides the difference.
if(DSV4_TESTS)
  find_package(Catch2 REQUIRED)
endif()
