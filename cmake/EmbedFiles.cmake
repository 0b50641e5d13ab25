# The page: compiled from web/ and embedded as arrays of bytes, so that the program needs no files beside it.
# Run as a script (cmake -P) it writes that source: every file as an array of bytes, under its path below its directory.
if(CMAKE_SCRIPT_MODE_FILE)
  set(arrays "")
  set(entries "")
  set(index 0)
  foreach(file ${FILES})
    file(READ ${file} hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "((0x..,){24})" "\\1\n" bytes "${bytes}")
    get_filename_component(name ${file} NAME)
    string(APPEND arrays "constexpr unsigned char kFile${index}[] = {\n${bytes}};\n")
    string(APPEND entries "      {\"/${name}\", {reinterpret_cast<const char*>(kFile${index}), ${size}}},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(WRITE ${OUTPUT} "// Made by cmake/EmbedFiles.cmake from web/.\n#include \"serve/page_files.h\"\n\nnamespace rhodes {\nnamespace {\n\n${arrays}\n}  // namespace\n
std::span<const PageFile> PageFiles() {\n  static const PageFile files[] = {\n${entries}  };\n  return files;\n}\n\n}  // namespace rhodes\n")
  return()
endif()

# rhodes_embed_page(TARGET): compiles web/src with TypeScript and embeds what a browser loads into TARGET.
function(rhodes_embed_page TARGET)
  set(web ${CMAKE_SOURCE_DIR}/web)
  set(compiler ${web}/node_modules/typescript/bin/tsc)
  if(NOT EXISTS ${compiler})
    message(FATAL_ERROR "TypeScript is not in web: run tools/setup (or `npm ci --ignore-scripts` in web)")
  endif()
  find_program(RHODES_NODE NAMES node nodejs REQUIRED)
  set(built ${CMAKE_BINARY_DIR}/web)
  file(GLOB scripts CONFIGURE_DEPENDS ${web}/src/*.ts)
  file(GLOB statics CONFIGURE_DEPENDS ${web}/static/*)
  set(outputs "")
  foreach(script ${scripts})
    get_filename_component(stem ${script} NAME_WE)
    list(APPEND outputs ${built}/${stem}.js)
  endforeach()
  add_custom_command(OUTPUT ${outputs}
    COMMAND ${RHODES_NODE} ${compiler} --project ${web} --outDir ${built}
    DEPENDS ${scripts} ${web}/tsconfig.json ${web}/package-lock.json
    COMMENT "Compiling the page" VERBATIM)
  add_custom_command(OUTPUT ${built}/page_files.cc
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${built}/page_files.cc "-DFILES=${outputs};${statics}"
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
    DEPENDS ${outputs} ${statics} ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
    COMMENT "Embedding the page" VERBATIM)
  target_sources(${TARGET} PRIVATE ${built}/page_files.cc)
endfunction()
