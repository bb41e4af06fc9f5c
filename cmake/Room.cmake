# aios_room(NAME [ROOMS rooms...] [LIBRARIES libraries...])
#
# A room is a folder: foo.h foo.cpp foo_test.cpp, side by side. All its .cpp files but the tests and
# main.cpp make the library aios_NAME; all its tests make one program NAME_test. ROOMS are the rooms
# it may include (linked publicly), LIBRARIES third-party targets that only its .cpp files use.
function(aios_room name)
  cmake_parse_arguments(room "" "" "ROOMS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(AIOS_SANITIZE)  # these replace operator new, which belongs to the sanitizers there
    list(FILTER tests EXCLUDE REGEX "_allocation_test\\.cpp$")
  endif()

  if(sources)
    add_library(aios_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(aios_${name} PRIVATE aios_compile_options ${room_LIBRARIES})
  else()
    add_library(aios_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(aios_${name} ${scope}
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>)
  list(TRANSFORM room_ROOMS PREPEND aios_)
  target_link_libraries(aios_${name} ${scope} ${room_ROOMS} Threads::Threads)

  if(AIOS_BUILD_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE aios_compile_options aios_${name} ${room_LIBRARIES}
                          GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE
      AIOS_SOURCE_DIR="${CMAKE_SOURCE_DIR}" AIOS_SHARED_DIR="${CMAKE_SOURCE_DIR}/../shared")
    target_precompile_headers(${name}_test PRIVATE <gtest/gtest.h> <gmock/gmock.h>)
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()
