# The tree-sitter grammars: generated C that set-up unpacks and nobody edits, so it is compiled
# without this project's warnings. dsv4_grammar(python) makes the target grammar_python.
enable_language(C)

set(DSV4_GRAMMARS ${PROJECT_SOURCE_DIR}/build/grammars CACHE PATH
    "Folder with the unpacked sources tree-sitter-python/ and tree-sitter-cpp/")

function(dsv4_grammar name)
  set(source ${DSV4_GRAMMARS}/tree-sitter-${name}/src)
  if(NOT EXISTS ${source}/parser.c OR NOT EXISTS ${source}/scanner.c)
    message(FATAL_ERROR "The ${name} grammar is not in ${DSV4_GRAMMARS}: run cmake/setup.sh")
  endif()
  add_library(grammar_${name} STATIC ${source}/parser.c ${source}/scanner.c)
  # BEFORE: our tree_sitter/parser.h completes the distribution's.
  target_include_directories(grammar_${name} BEFORE PRIVATE ${PROJECT_SOURCE_DIR}/tools/grammars)
  target_include_directories(grammar_${name} PRIVATE ${TREE_SITTER_INCLUDE_DIRS})
  target_compile_options(grammar_${name} PRIVATE -w -O1)
endfunction()

dsv4_grammar(python)
dsv4_grammar(cpp)
