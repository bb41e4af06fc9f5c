# Libraries for a cross build: those that are headers only, taken from the build machine, and
# googletest from Debian's sources. Rooms that need others are left out (see CMakeLists.txt).
find_package(Threads REQUIRED)

# The build machine's /usr/include as a whole would hide the target's C library headers.
set(host_headers ${CMAKE_BINARY_DIR}/host_headers)
file(MAKE_DIRECTORY ${host_headers})
foreach(library spdlog fmt nlohmann)
  file(CREATE_LINK /usr/include/${library} ${host_headers}/${library} SYMBOLIC)
endforeach()
foreach(target spdlog::spdlog nlohmann_json::nlohmann_json)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${host_headers})
endforeach()
target_compile_definitions(spdlog::spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)

if(AIOS_BUILD_TESTS)
  enable_language(C)  # googletest's project names it
  set(INSTALL_GTEST OFF CACHE BOOL "")
  add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  enable_testing()
endif()
