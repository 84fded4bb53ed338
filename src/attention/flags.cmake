# Flags of single files. Kernels may assume that nobody reads errno or floating point exceptions;
# they write every fused multiply-add themselves, so the compiler adds none (-ffp-contract=off:
# the same bits in every inlined copy). Never -ffast-math: masked scores are -INFINITY and the
# exponential rounds by adding a constant that it would fold away. The probe has no flags, no LTO.
# Loops begin on lines of the instruction cache: worth half a percent, and steadier.
set(AS_KERNEL_FLAGS -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off -falign-loops=64)
# It may check accesses there but not call functions at the ends of scopes: see body_weave.h.
if(ATTNSCOPE_SANITIZE MATCHES "address|fuzz")
    list(APPEND AS_KERNEL_FLAGS -fno-sanitize-address-use-after-scope)
endif()
file(GLOB AS_KERNELS ${CMAKE_SOURCE_DIR}/src/attention/kernels/kernel_*.c)
foreach(kernel IN LISTS AS_KERNELS)
    set(flags ${AS_KERNEL_FLAGS})
    if(kernel MATCHES "_avx2\\.c$")
        list(APPEND flags -mavx2 -mfma)
    elseif(kernel MATCHES "_avx512\\.c$")
        list(APPEND flags -mavx512f -mavx512dq -mavx2 -mfma)
    elseif(kernel MATCHES "_avx512_bf16")
        list(APPEND flags -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512bf16 -mavx2 -mfma)
    endif()
    set_source_files_properties(${kernel} PROPERTIES COMPILE_OPTIONS "${flags}")
endforeach()
# Loops over rows and texels beside the kernels.
target_compile_options(as_attention PRIVATE -O3)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/attention/isa.c PROPERTIES
    COMPILE_OPTIONS "-fno-lto")
