# Every third-party library, in one place. Versions: tools/setup.sh installs them.
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3>=3.37)

# Arrow C++ and Parquet: an installed package, else the libraries inside the pinned pyarrow wheel.
find_package(Arrow CONFIG QUIET)
find_package(Parquet CONFIG QUIET)
if(NOT (Arrow_FOUND AND Parquet_FOUND))
  set(AIOS_PYTHON ${CMAKE_SOURCE_DIR}/.venv/bin/python CACHE FILEPATH
      "Python that has the pinned pyarrow wheel")
  execute_process(
    COMMAND ${AIOS_PYTHON} -c
            "import pyarrow; print(pyarrow.get_include(), pyarrow.get_library_dirs()[0], sep=';')"
    OUTPUT_VARIABLE pyarrow_paths OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE pyarrow_failed)
  if(pyarrow_failed)
    message(FATAL_ERROR "Arrow C++ not found: run tools/setup.sh, or set AIOS_PYTHON to a Python "
                        "that has pyarrow 26.0.1")
  endif()
  list(GET pyarrow_paths 0 pyarrow_include)
  list(GET pyarrow_paths 1 AIOS_ARROW_LIBRARY_DIR)
  foreach(library arrow parquet)
    add_library(${library}_shared SHARED IMPORTED)
    set_target_properties(${library}_shared PROPERTIES
      IMPORTED_LOCATION ${AIOS_ARROW_LIBRARY_DIR}/lib${library}.so.2600
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${pyarrow_include}"
      INTERFACE_INCLUDE_DIRECTORIES "${pyarrow_include}")
  endforeach()
  add_library(Arrow::arrow_shared ALIAS arrow_shared)
  add_library(Parquet::parquet_shared ALIAS parquet_shared)
endif()

if(AIOS_BUILD_TESTS)
  find_package(GTest REQUIRED)
  enable_testing()
endif()
if(AIOS_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
