# The tree-sitter grammars: generated C that set-up unpacks and nobody edits, so it is compiled
# without this project's warnings. dsv4_grammar(python) makes the target grammar_python; a second
# argument names the folder of tree-sitter-python/ that it is in. grammars is all of them.
enable_language(C)

set(DSV4_GRAMMARS ${PROJECT_SOURCE_DIR}/build/grammars CACHE PATH
    "Folder with the unpacked sources tree-sitter-python/, tree-sitter-cpp/ and so on")
add_library(grammars INTERFACE)

function(dsv4_grammar name)
  set(source ${DSV4_GRAMMARS}/tree-sitter-${name}/src)
  if(ARGC GREATER 1)
    set(source ${DSV4_GRAMMARS}/${ARGV1}/src)
  endif()
  if(NOT EXISTS ${source}/parser.c)
    message(FATAL_ERROR "The ${name} grammar is not in ${DSV4_GRAMMARS}: run cmake/setup.sh")
  endif()
  file(GLOB parts CONFIGURE_DEPENDS ${source}/parser.c ${source}/scanner.c)
  add_library(grammar_${name} STATIC ${parts})
  # BEFORE: our tree_sitter/parser.h completes the distribution's.
  target_include_directories(grammar_${name} BEFORE PRIVATE ${PROJECT_SOURCE_DIR}/tools/grammars)
  target_include_directories(grammar_${name} PRIVATE ${TREE_SITTER_INCLUDE_DIRS})
  target_compile_options(grammar_${name} PRIVATE -w -O1)
  target_link_libraries(grammars INTERFACE grammar_${name})
endfunction()

foreach(name bash cmake cpp go java javascript json python rust yaml)
  dsv4_grammar(${name})
endforeach()
# The package leaves this file out.
configure_file(${PROJECT_SOURCE_DIR}/tools/grammars/typescript_scanner.h
               ${DSV4_GRAMMARS}/tree-sitter-typescript/common/scanner.h COPYONLY)
dsv4_grammar(typescript tree-sitter-typescript/typescript)
dsv4_grammar(tsx tree-sitter-typescript/tsx)
