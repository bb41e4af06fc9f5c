# Warnings are errors; ccache when it is there; sanitizers by preset.
find_program(AIOS_CCACHE ccache)
if(AIOS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${AIOS_CCACHE})
endif()

add_library(aios_compile_options INTERFACE)
target_compile_options(aios_compile_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of GCC 12 in inlined standard containers (GCC bugs 105329, 105651).
  target_compile_options(aios_compile_options INTERFACE -Wno-restrict -Wno-array-bounds
                         -Wno-stringop-overflow -Wno-stringop-overread)
  if(AIOS_SANITIZE)  # and, with sanitizers, of std::regex (GCC bug 105616)
    target_compile_options(aios_compile_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  # GCC takes #pragma once in a precompiled header and warns of it when that is compiled alone.
  target_compile_options(aios_compile_options INTERFACE -Winvalid-pch)
endif()
if(AIOS_SANITIZE)
  add_compile_options(-fsanitize=${AIOS_SANITIZE} -fno-omit-frame-pointer -g1
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AIOS_SANITIZE})
endif()
if(AIOS_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage that guides libFuzzer
endif()
