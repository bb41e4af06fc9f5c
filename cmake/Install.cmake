# `make install`: the program, one shared library with its public headers and CMake package
# (find_package(AiOsDiffusion), target aios::aios), the default models, and Arrow's libraries when
# they come from the pyarrow wheel. Nothing installed refers to the source or build tree.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One library out of the objects of all rooms but the fronts; other libraries stay its own affair.
set(library_rooms ${rooms})
list(REMOVE_ITEM library_rooms cli)
add_library(aios_shared SHARED)
set_target_properties(aios_shared PROPERTIES
  OUTPUT_NAME aios VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
foreach(room ${library_rooms})
  if(TARGET aios_${room})
    get_target_property(room_type aios_${room} TYPE)
    if(room_type STREQUAL "STATIC_LIBRARY")
      target_sources(aios_shared PRIVATE $<TARGET_OBJECTS:aios_${room}>)
    endif()
    target_link_libraries(aios_shared PRIVATE aios_${room})
  endif()
endforeach()

if(AIOS_ARROW_LIBRARY_DIR)
  set_target_properties(aios_shared PROPERTIES INSTALL_RPATH "$ORIGIN/aios")
  set_target_properties(aios PROPERTIES
    INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/aios")
  install(FILES ${AIOS_ARROW_LIBRARY_DIR}/libarrow.so.2600
                ${AIOS_ARROW_LIBRARY_DIR}/libparquet.so.2600
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/aios)
endif()

configure_package_config_file(
  ${CMAKE_SOURCE_DIR}/cmake/AiOsDiffusionConfig.cmake.in AiOsDiffusionConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/AiOsDiffusion
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(AiOsDiffusionConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS aios aios_shared)
install(DIRECTORY include/aios DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/AiOsDiffusionConfig.cmake
              ${CMAKE_BINARY_DIR}/AiOsDiffusionConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/AiOsDiffusion)
install(DIRECTORY models DESTINATION ${CMAKE_INSTALL_DATADIR}/aios)
install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
