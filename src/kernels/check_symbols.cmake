# Fails if the object of an instruction set's kernels defines a weak function, which the linker
# might choose for the whole program.
set(num_checked 0)
foreach(object ${OBJECTS})
  if(object MATCHES "kernels_(avx|amx|neon)")
    math(EXPR num_checked "${num_checked} + 1")
    execute_process(COMMAND ${NM} -C --defined-only ${object} OUTPUT_VARIABLE symbols
                    COMMAND_ERROR_IS_FATAL ANY)
    if(symbols MATCHES "[0-9a-f]+ [Ww] [^\n]*")
      message(FATAL_ERROR "${object} defines a weak symbol: ${CMAKE_MATCH_0}")
    endif()
  endif()
endforeach()
if(num_checked EQUAL 0)
  message(FATAL_ERROR "found no object of kernels to check")
endif()
