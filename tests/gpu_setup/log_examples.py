"""A line of our own writing for every entry of log_lines.json, and words of its answer."""

EXAMPLES = {
    "tensorrt": (
        "W dso_loader.cc:64] Could not load dynamic library 'libnvinfer.so.7'",
        "TensorRT is optional",
    ),
    "profiler_library": (
        "W dso_loader.cc:59] Could not load dynamic library 'libcupti.so.11.0'",
        "profiler",
    ),
    "tpu_library": ("I dso_loader: Could not open libtpu.so: not there", "TPUs"),
    "ignore_cudart": ("I cudart_stub.cc:29] Ignore above cudart dlerror if", "only on"),
    "debug_info": (
        "(DEBUG INFO) this does not indicate an error and you can ignore this message",
        "no error",
    ),
    "performance_gains": (
        "Allocator (GPU_0_bfc) ran out of memory trying to allocate 3.4GiB. The caller "
        "indicates that this is not a failure, but",
        "slower one is used",
    ),
    "jit_from_ptx": (
        "W gpu_device.cc:2433] TensorFlow was not built with CUDA kernel binaries "
        "compatible with compute capability 12.0. CUDA kernels will",
        "capability 12.0",
    ),
    "ptxas_old_fallback": (
        "W asm_compiler.cc:81] Your CUDA software stack is old. We fallback",
        "driver compiles instead",
    ),
    "ptxas_warning": (
        "2021-01-01: W redzone_allocator.cc:314] Internal: ptxas exited with 255",
        "driver compiles instead",
    ),
    "ptxas_launch": ("W asm_compiler] Couldn't invoke ptxas --version", "not on PATH"),
    "spawn": ("I subprocess.cc:304] Start cannot spawn child process: none", "missing"),
    "ptxas_miscompiles": (
        "*** WARNING *** You are using ptxas 9.0.1, which is older than 9.2.88",
        "known bug",
    ),
    "wsl_libcuda": (
        "Could not load library libcudnn_ops_infer.so.8. Error: libcuda.so: cannot open "
        "shared object file",
        "LD_LIBRARY_PATH=/usr/lib/wsl/lib",
    ),
    "no_libcuda": (
        "W dso_loader.cc:59] Could not load dynamic library 'libcuda.so.1'; dlerror: "
        "libcuda.so.1: cannot open shared object file",
        "libcuda.so.1 is not found",
    ),
    "broken_library": (
        "ImportError: /usr/lib/libcuda.so.1: file too short",
        "libcuda.so.1 is empty",
    ),
    "wrong_class": ("libcudart.so.9.0: wrong ELF class: ELFCLASS32", "32-bit"),
    "stub_library": (
        "E cuda_driver.cc:328] failed call to cuInit: CUDA_ERROR_STUB_LIBRARY: stub",
        "unset LD_LIBRARY_PATH",
    ),
    "version_differs": (
        "E cuda_diagnostics.cc:313] kernel version 470.57.2 does not match DSO version "
        "470.63.1 -- cannot find working devices",
        "470.57.2",
    ),
    "nvml_mismatch": (
        "Failed to initialize NVML: Driver/library version mismatch",
        "sudo reboot",
    ),
    "forward_compatibility": (
        "E cuda_driver.cc:271] failed call to cuInit: "
        "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE: forward compatibility was",
        "older than libcuda",
    ),
    "fabric_manager": (
        "E cuda_driver.cc:265] failed call to cuInit: CUDA_ERROR_SYSTEM_NOT_READY",
        "nvidia-fabricmanager",
    ),
    "driver_old": (
        "cudaGetDevice() failed. Status: CUDA driver version is insufficient for CUDA",
        "ubuntu-drivers install",
    ),
    "device_busy": (
        "Status: all CUDA-capable devices are busy or unavailable",
        "fuser -v /dev/nvidia",
    ),
    "uncorrectable_memory": (
        "CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error encountered",
        "ECC,ROW_REMAPPER",
    ),
    "card_lost": (
        "NVRM: GPU at PCI:0000:01:00: GPU has fallen off the bus.",
        "the bus",
    ),
    "xid": ("NVRM: Xid (PCI:0000:01:00): 31, pid=77, Ch 0008", "Xid 31"),
    "no_device_node": (
        "I cuda_diagnostics.cc:163] no NVIDIA GPU device is present: /dev/nvidia0 does "
        "not exist",
        "without --gpus",
    ),
    "module_not_loaded": (
        "I cuda_diagnostics.cc:156] kernel driver does not appear to be running on this "
        "host (fox): /proc/driver/nvidia/version does not exist",
        "module is not loaded",
    ),
    "no_device": (
        "E cuda_driver.cc:328] failed call to cuInit: CUDA_ERROR_NO_DEVICE: no card",
        "nvidia-smi -L",
    ),
    "no_driver_303": (
        "E0000 00:00:1800000000.1 77 cuda_platform.cc:52] failed call to cuInit: "
        "INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)",
        "no NVIDIA driver",
    ),
    "cuinit_unknown": (
        "E cuda_driver.cc:318] failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error",
        "modprobe nvidia_uvm",
    ),
    "cuinit_minus_one": (
        "E cuda_driver.cc:406] failed call to cuInit: CUresult(-1)",
        "not the driver's own",
    ),
    "cuinit_other": (
        "E cuda_driver.cc:300] failed call to cuInit: CUDA_ERROR_INVALID_VALUE",
        "CUDA_ERROR_INVALID_VALUE",
    ),
    "diagnostics": (
        "I cuda_diagnostics.cc:200] libcuda reported version is: 515.43.4",
        "the line before",
    ),
    "nvml_unknown": ("Failed to initialize NVML: Unknown Error", "docker restart"),
    "nvml_blocked": (
        "Failed to initialize NVML: GPU access blocked by the operating system",
        "wsl.exe --update",
    ),
    "nvml_library": (
        "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.",
        "libnvidia-ml.so.1",
    ),
    "secure_boot": (
        "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service",
        "mokutil --import",
    ),
    "nouveau": (
        "ERROR: The Nouveau kernel driver is currently in use by your system.",
        "blacklist nouveau",
    ),
    "dkms_build": (
        "Error! Bad return status for module build on kernel: 6.8.0-50-generic",
        "dkms autoinstall",
    ),
    "kernel_headers": (
        "Error! Your kernel headers for kernel 6.8.0-50-generic cannot be found.",
        "linux-headers-",
    ),
    "module_missing": (
        "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.8.0",
        "modprobe nvidia",
    ),
    "card_unsupported": (
        "NVRM: The NVIDIA GPU 0000:01:00.0 is not supported by the 550.54 NVIDIA driver",
        "open kernel modules",
    ),
    "smi_failed": (
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
        "sudo modprobe nvidia",
    ),
    "smi_no_devices": ("No devices were found", "finds no card"),
    "smi_missing": ("bash: nvidia-smi: command not found", "nvidia-smi is not there"),
    "two_drivers": (
        "dpkg: trying to overwrite '/lib/firmware/nvidia/gsp.bin', which is also in "
        "package nvidia-firmware-535 535.1",
        "nvidia-firmware-535",
    ),
    "docker_device_driver": (
        'docker: could not select device driver "" with capabilities: [[gpu]].',
        "nvidia-container-toolkit",
    ),
    "docker_runtime": (
        "docker: Error response from daemon: unknown or invalid runtime name: nvidia",
        "nvidia-ctk runtime configure",
    ),
    "container_cuda": (
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8",
        "cuda>=12.8",
    ),
    "container_cgroup": (
        "nvidia-container-cli: container error: cgroup subsystem devices not found",
        "cgroup version 2",
    ),
    "container_cdi": (
        "Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all",
        "nvidia-ctk cdi generate",
    ),
    "container_mount": (
        "nvidia-container-cli: mount error: file creation failed: /x/libnvidia-ml.so.1: "
        "file exists",
        "rm -f",
    ),
    "container_cli": (
        "nvidia-container-cli: detection error: nvml error: unknown error",
        "detection error",
    ),
    "container_no_driver": (
        "WARNING: The NVIDIA Driver was not detected.  GPU functionality will not be "
        "available.",
        "docker run --gpus all",
    ),
    "no_extra": (
        "WARNING: tensorflow 2.13.1 does not provide the extra 'and-cuda'",
        "cudatoolkit=11.8",
    ),
    "tensorrt_extra": (
        'ERROR: No matching distribution found for tensorrt-libs==8.6.1; extra == "x"',
        "2.15.*",
    ),
    "tensorflow_gpu_removed": (
        'The "tensorflow-gpu" package has been removed!',
        "tensorflow has the GPU code",
    ),
    "release_not_for_python": (
        "ERROR: No matching distribution found for tensorflow==1.15.2",
        "conda create --name tensorflow python=3.7",
    ),
    "old_pip": (
        "No distributions at all found for tensorflow",
        "pip install --upgrade pip",
    ),
    "no_wheel": (
        "ERROR: No matching distribution found for tensorflow",
        "conda create --name tensorflow python=3.12",
    ),
    "not_supported_wheel": (
        "ERROR: tensorflow-2.10.0-cp37-cp37m-win_amd64.whl is not a supported wheel on "
        "this platform.",
        "cp37",
    ),
    "missing_nvidia_package": (
        "ERROR: No matching distribution found for nvidia-nccl-cu12==2.19.3",
        "nvidia-nccl-cu12",
    ),
    "shell_brackets": (
        "zsh: no matches found: tensorflow[and-cuda]",
        "'tensorflow[and-cuda]'",
    ),
    "externally_managed": ("error: externally-managed-environment", "python3 -m venv"),
    "no_tensorflow": (
        "ModuleNotFoundError: No module named 'tensorflow'",
        "not install",
    ),
    "internal_missing": (
        "ImportError: No module named '_pywrap_tensorflow_internal'",
        "--force-reinstall",
    ),
    "python_37": (
        "    def TFE_ContextOptionsSetAsync(arg1, async):",
        "python=3.6",
    ),
    "numpy_2": (
        "A module that was compiled using NumPy 1.x cannot be run in NumPy 2.0.0",
        "'numpy<2'",
    ),
    "numpy_abi": (
        "ValueError: numpy.dtype size changed, may indicate binary incompatibility",
        "NumPy is not of the version",
    ),
    "protobuf_new": (
        "TypeError: Descriptors cannot be created directly.",
        "'protobuf<3.21'",
    ),
    "protobuf_old": (
        "ImportError: cannot import name 'runtime_version' from 'google.protobuf'",
        "--upgrade protobuf",
    ),
    "ml_dtypes": (
        "AttributeError: module 'ml_dtypes' has no attribute 'float4_e2m1fn'",
        "--upgrade ml_dtypes",
    ),
    "glibc": ("/lib64/libc.so.6: version `GLIBC_2.27' not found", "GLIBC_2.27"),
    "static_tls": (
        "libgomp.so.1: cannot allocate memory in static TLS block",
        "LD_PRELOAD",
    ),
    "no_avx": ("Illegal instruction (core dumped)", "AVX"),
    "dll_init": (
        "ImportError: DLL load failed while importing _pywrap: A dynamic link library "
        "(DLL) initialization routine failed.",
        "VCRedist",
    ),
    "msvcp": ("ImportError: Could not find the DLL(s) 'msvcp140_1.dll'.", "VCRedist"),
    "zlibwapi": ("Could not locate zlibwapi.dll. Please make sure", "zlibwapi.dll"),
    "dll_load": (
        "ImportError: DLL load failed: The specified module could not be found.",
        "A DLL that TensorFlow needs",
    ),
    "undefined_symbol_cuda": (
        "/x/libcudnn_ops.so.9: undefined symbol: cublasLtX, version libcublasLt.so.12",
        "two CUDA versions are mixed",
    ),
    "cudnn_symbol": (
        "F cuda_dnn.cc:216] could not find cudnnSetRNNMatrixMathType in cudnn DSO",
        "cudnnSetRNNMatrixMathType",
    ),
    "undefined_symbol": (
        "x.so: undefined symbol: _ZN10tensorflow8OpKernelC1EPNS_20OpKernelE",
        "two TensorFlow versions",
    ),
    "library_behind_library": (
        "W dso_loader.cc:64] Could not load dynamic library 'libcusolver.so.11'; "
        "dlerror: libcublas.so.12: cannot open shared object file",
        "libcublas.so.12 is missing, which libcusolver.so.11 needs",
    ),
    "cudnn_library": (
        "W dso_loader.cc:55] Could not load dynamic library 'libcudnn.so.7'; dlerror: "
        "libcudnn.so.7: cannot open shared object file",
        "libcudnn.so.7",
    ),
    "cuda_library": (
        "I dso_loader.cc:102] Couldn't open CUDA library libcublas.so.8.0. "
        "LD_LIBRARY_PATH: /x",
        "cudatoolkit=8.0",
    ),
    "cudnn_dso": ("I cuda_dnn.cc:2092] Unable to load cuDNN DSO", "cuDNN is not where"),
    "cudnn_version": (
        "E cuda_dnn.cc:378] Loaded runtime CuDNN library: 5005 (compatibility version "
        "5000) but source was compiled with 5110 (compatibility version 5100).",
        "cuDNN 5.0.5 is older than the 5.1.10",
    ),
    "cudnn_mixed": (
        "CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH in cudnnCreate",
        "two cuDNN versions",
    ),
    "cuda_runtime": (
        "I cudart_stub.cc:28] Could not find cuda drivers on your machine, GPU will",
        "libcudart",
    ),
    "cudnn_not_found": (
        "cuDNN could not be found or could not be loaded.",
        "nvidia-cudnn-cu12",
    ),
    "unnamed_library": (
        "W gpu_device.cc:2251] Cannot dlopen some GPU libraries. Please make sure",
        "python -m gpu_setup.check",
    ),
    "libdevice": ("libdevice not found at ./libdevice.10.bc", "xla_gpu_cuda_data_dir"),
    "libdevice_folders": ("Searched for CUDA in the following directories:", "looked"),
    "no_compiler": (
        "No PTX compilation provider is available. Neither ptxas/nvlink nor nvjtlink",
        "and-cuda",
    ),
    "ptxas_failed": (
        "F nvptx_compiler.cc] ptxas returned an error during compilation of ptx to sass",
        "ptxas refused",
    ),
    "ptx_refused": (
        "W wrappers.cc:40] 'cuModuleLoadData' failed with 'CUDA_ERROR_INVALID_PTX'",
        "no TensorFlow wheel",
    ),
    "no_kernel_image": (
        "CUDA error: no kernel image is available for execution on the device",
        "no code for this card",
    ),
    "invalid_handle": (
        "'cuLaunchKernel()' failed with 'CUDA_ERROR_INVALID_HANDLE'",
        "A kernel was not loaded",
    ),
    "card_too_old": (
        "Ignoring visible gpu device (device: 0, name: K80) with Cuda compute capability "
        "3.7. The minimum required Cuda capability is 5.0.",
        "tensorflow[and-cuda]==2.14.*",
    ),
    "small_card": (
        "Ignoring visible gpu device (device: 1, name: GT 710) with core count: 1. The "
        "minimum required count is 8.",
        "smaller card",
    ),
    "amd_card": (
        "Ignoring visible gpu device (device: 0) with AMDGPU version : gfx1031",
        "AMD card",
    ),
    "amd_driver": ("E rocm_driver.cc:302] failed call to hipInit: HIP_ERROR", "ROCm"),
    "cpu_build": (
        "The requested device appears to be a GPU, but CUDA is not enabled.",
        "no GPU code",
    ),
    "no_gpu_registered": (
        "Could not satisfy explicit device specification '/device:GPU:0'",
        "asks for a card by name",
    ),
    "cudnn_handle": (
        "E cuda_dnn.cc:329] Could not create cudnn handle: CUDNN_STATUS_INTERNAL_ERROR",
        "TF_FORCE_GPU_ALLOW_GROWTH=true",
    ),
    "cublas_handle": (
        "E cuda_blas.cc:226] failed to create cublas handle: the resource allocation",
        "TF_FORCE_GPU_ALLOW_GROWTH=true",
    ),
    "cusolver_handle": ("CUSOLVER_STATUS_NOT_INITIALIZED", "A CUDA library did not"),
    "pinned_memory": (
        "could not allocate pinned host memory of size: 4294967296",
        "memory for transfers",
    ),
    "out_of_memory": (
        "ResourceExhaustedError: OOM when allocating tensor with shape[64,512]",
        "The card's memory is full",
    ),
    "host_memory": ("terminate called, what():  std::bad_alloc", "own memory is full"),
    "allocation_summary": (
        "I bfc_allocator.cc:1010] Bin (256): Total Chunks",
        "ran out",
    ),
    "system_memory_10": (
        "W cpu_allocator_impl.cc:80] Allocation of 376 exceeds 10% of free system memory",
        "notice",
    ),
    "illegal_address": (
        "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered",
        "compute-sanitizer",
    ),
    "launch_timeout": (
        "CUDA_ERROR_LAUNCH_TIMEOUT: the launch timed out and was terminated",
        "ran too long",
    ),
    "launch_failed": ("CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure", "failed"),
    "cublas_failed": (
        "E cuda_blas.cc:428] failed to run cuBLAS routine: CUBLAS_STATUS_EXECUTION_FAILED",
        "cuBLAS failed",
    ),
    "cudnn_failed": ("CUDNN_STATUS_EXECUTION_FAILED in cudnnRNN", "cuDNN failed"),
    "nccl": ("InternalError: NCCL operation ncclGroupEnd() failed: x", "NCCL_DEBUG"),
    "convolution_algorithm": (
        "UnknownError: Failed to get convolution algorithm. This is probably because",
        "cuDNN did not start",
    ),
    "dnn_library": ("UNIMPLEMENTED: DNN library is not found.", "cuDNN did not start"),
    "blas_launch": ("Blas GEMM launch failed : a.shape=(32, 8)", "matrix product"),
    "event_status": ("F gpu_event_mgr.cc:273] Unexpected Event status: 1", "before"),
    "skipping": ("Skipping registering GPU devices...", "without the card"),
    "op_failed": (
        "W op_kernel.cc:1830] OP_REQUIRES failed at x.cc:9 : x",
        "another line",
    ),
    "numa_negative": (
        "successful NUMA node read from SysFS had negative value (-1), but there must",
        "node 0",
    ),
    "numa_file": ("could not open file to read NUMA node: /sys/x", "NUMA node"),
    "factory": ("Unable to register cuFFT factory: Attempting to", "registers twice"),
    "placer_registered": ("computation placer already registered. Please", "twice"),
    "onednn": ("I util.cc:169] oneDNN custom operations are on.", "processor"),
    "cpu_features": ("This TensorFlow binary is optimized to use", "could do more"),
    "absl_log": (
        "WARNING: All log messages before absl::InitializeLog() is called",
        "log",
    ),
    "created_device": ("Created device /job:localhost/device:GPU:0", "Good news"),
    "found_device": (
        "I gpu_device.cc:1733] Found device 0 with properties:",
        "the card",
    ),
    "opened": ("Successfully opened dynamic library libcudart.so.11.0", "Good news"),
    "loaded_cudnn": ("I cuda_dnn.cc:384] Loaded cuDNN version 8100", "Good news"),
    "tf32": ("I cuda_blas.cc] TensorFloat-32 will be used for the matrix", "rounded"),
    "progress": ("Using TensorFlow backend.", "what it does"),
    "xla_devices": (
        "Not creating XLA devices, tf_xla_enable_xla_devices not set",
        "old devices",
    ),
    "rendezvous": ("Local rendezvous is aborting with status: OUT_OF_RANGE", "its end"),
    "growth": (
        "Overriding allow_growth setting because the TF_FORCE_GPU_ALLOW_GROWTH "
        "environment variable is set.",
        "as you asked",
    ),
    "peer_access": (
        "Peer access not supported between device ordinals 0 and 1",
        "each",
    ),
    "mixed_precision": (
        "Your GPU may run slowly with dtype policy mixed_float16",
        "7.0",
    ),
    "delay_kernel": ("Delay kernel timed out: measured time has", "timing"),
    "grappler": (
        "E meta_optimizer.cc:828] layout failed: INVALID_ARGUMENT: Size",
        "graph",
    ),
    "deprecated": ("The name tf.Session is deprecated. Please use", "A name is old"),
    "jax_cpu_build": (
        "WARNING: No GPU/TPU found, falling back to CPU.",
        "jax[cuda12]",
    ),
    "torch_cpu_build": (
        "AssertionError: Torch not compiled with CUDA enabled",
        "This is PyTorch",
    ),
    "apptainer_no_driver": (
        "INFO:    Could not find any nv files on this host!",
        "The host has no NVIDIA driver",
    ),
    "ldconfig_wsl": (
        "/sbin/ldconfig.real: /usr/lib/wsl/lib/libcuda.so.1 is not a symbolic link",
        "keeps a copy",
    ),
    "container_wsl": (
        "nvidia-container-cli: initialization error: WSL environment detected but no "
        "adapters were found",
        "wsl.exe --update",
    ),
    "cublas_symbol": (
        "Could not load symbol cublasGetSmCountTarget from libcublas.so.11. Error: x",
        "does without",
    ),
    "macos": (
        "Could not load dynamic library 'libcudart.10.1.dylib'; dlerror: x",
        "tensorflow-metal",
    ),
    "conda_channel": (
        "PackagesNotFoundError: The following packages are not available from current",
        "conda-forge",
    ),
}
